object $room
  name "The First Room"
  parent $root
  owner $wizard

verb eval any any any rd
set_task_perms(player);
try
  notify(player, toliteral(eval(argstr + ";")[2]));
except e (ANY)
  notify(player, toliteral(e[1]));
endtry
.
