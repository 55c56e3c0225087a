object $system
  name "System Object"
  parent $root
  owner $wizard
  flags r w

property nothing rwc = #-1
property ambiguous_match rwc = #-2
property failed_match rwc = #-3
property invalid_object rwc = #2147483647
property system rwc = $system
property wizard_player rwc = $wizard
property programmer_player rwc = $programmer
property player rwc = $nonprogrammer
property object rwc = #-1
property tmp rwc = 0
property tmp1 rwc = 0
property tmp2 rwc = 0

// `connect EXPRESSION' logs in as the object that it gives.
verb do_login_command this none this rxd
if (length(args) >= 2)
  return eval("return " + args[2] + ";")[2];
endif
return player;
.

// The way to run a program that neither #2:eval nor what a file makes of rooms,
// verbs and output can disturb: `#$#moot TAG CODE'.
verb do_out_of_band_command this none this rxd
set_task_perms(player);
tag = args[2];
code = argstr[index(argstr, tag) + length(tag) + 1..$];
try
  r = eval(code);
  r = {r[1], toliteral(r[2])};
except e (ANY)
  r = {2, toliteral(e[1])};
endtry
notify(player, tostr("#$#moot ", tag, " ", r[1], " ", r[2]));
.
