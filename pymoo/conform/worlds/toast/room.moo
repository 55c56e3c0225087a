object $room
  name "The First Room"
  parent $root
  owner $wizard

verb accept this none this rxd
return 1;
.

// Prints what eval() gave, or {2, {code, message, value, traceback}}.
verb eval any any any rd
set_task_perms(player);
try
  try
    notify(player, "-=!-^-!=-");
    notify(player, toliteral(eval(argstr)));
  except e (ANY)
    notify(player, toliteral({2, e}));
  endtry
finally
  notify(player, "-=!-v-!=-");
endtry
.
