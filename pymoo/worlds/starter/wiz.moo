object $wiz
  name "generic wizard"
  owner $wizard
  parent $prog
  flags r

set ownership_quota "" $wizard = "no limit"
set help_msg = {"Wizards look after the world: see `help wizards'."}

verb "confunc" this none this rxd
"confunc(): the player has connected; a wizard without a password is warned.";
if (!(caller in {#0, this}))
  raise(E_PERM);
endif
pass(@args);
if (this.password == "")
  this:tell("You have no password, so you can connect on the machine of the server only.");
  this:tell("Type `@password <new>' to set one, and `help wizards' for what you can do.");
endif
.

verb "@programmer" any none none rd
"@programmer <player>    Make somebody a programmer.";
set_task_perms(player);
who = $string_utils:match_player(dobjstr);
if ($command_utils:player_match_failed(who, dobjstr))
  return;
elseif ($object_utils:isa(who, $guest))
  return player:tell("Guests forget everything when they leave.");
endif
try
  if (!$object_utils:isa(who, $prog))
    chparent(who, $prog);
    clear_property(who, "ownership_quota");
  endif
  who.programmer = 1;
  player:tell($string_utils:nn(who), " is a programmer.");
  who:tell("You are a programmer now: see `help programming'.");
except e (ANY)
  player:tell(e[2], ".");
endtry
.

verb "@shout" any any any rd
"@shout <text>    Say something to everybody who is connected.";
if (player.wizard)
  for who in (connected_players())
    `who:tell(player:titlec(), " shouts, \"", argstr, "\"") ! ANY';
  endfor
endif
.

verb "@boot" any none none rd
"@boot <player>    Close somebody's connection.";
set_task_perms(player);
who = $string_utils:match_player(dobjstr);
if ($command_utils:player_match_failed(who, dobjstr))
  return;
elseif (!(who in connected_players()))
  player:tell($string_utils:nn(who), " is not connected.");
elseif (player.wizard)
  who:tell("You have been disconnected by ", player:title(), ".");
  boot_player(who);
  player:tell($string_utils:nn(who), " is disconnected.");
endif
.

verb "@dump-database" none none none rd
"@dump-database    Have the server write the database now.";
set_task_perms(player);
dump_database();
player:tell("The database will be written.");
.

verb "@shutdown" any any any rd
"@shutdown [<reason>]    End the server; the database is written.";
set_task_perms(player);
if (player.wizard && $command_utils:yes_or_no("Shut the server down?"))
  shutdown(@argstr ? {argstr} | {});
else
  player:tell("The server goes on.");
endif
.

verb "@newpassword" any any any rd
"@newpassword <player> <password>    Give somebody a new password.";
set_task_perms(player);
if (length(args) != 2)
  return player:tell("Usage: @newpassword <player> <password>");
endif
{name, password} = args;
who = $string_utils:match_player(name);
if (!$command_utils:player_match_failed(who, name) && player.wizard)
  if (problem = $login:password_problem(password))
    player:tell(problem, ".");
  else
    who.password = crypt(password);
    player:tell("The password of ", $string_utils:nn(who), " is set.");
  endif
endif
.

verb "@setquota" any at any rd
"@setquota <player> to <number>    Say how many objects more somebody may make.";
set_task_perms(player);
who = $string_utils:match_player(dobjstr);
if (!$command_utils:player_match_failed(who, dobjstr))
  try
    who.ownership_quota = toint(iobjstr);
    player:tell($string_utils:nn(who), " may make ", $string_utils:count(who.ownership_quota, "more object"), ".");
  except e (ANY)
    player:tell(e[2], ".");
  endtry
endif
.

verb "@chown" any at any rd
"@chown <object> to <player>    Give an object, and its inherited properties, to somebody.";
set_task_perms(player);
what = player:my_match_object(dobjstr);
who = $string_utils:match_player(iobjstr);
if (!$command_utils:object_match_failed(what, dobjstr) && !$command_utils:player_match_failed(who, iobjstr))
  try
    what.owner = who;
    for above in ($object_utils:ancestors(what))
      for name in (properties(above))
        {owner, perms} = property_info(what, name);
        if (index(perms, "c"))
          set_property_info(what, name, {who, perms});
        endif
      endfor
    endfor
    player:tell($string_utils:nn(what), " belongs to ", $string_utils:nn(who), " now.");
  except e (ANY)
    player:tell(e[2], ".");
  endtry
endif
.

verb "@toad" any none none rd
"@toad <player>    Make a player an object like any other; nobody can log in as it.";
set_task_perms(player);
who = $string_utils:match_player(dobjstr);
if ($command_utils:player_match_failed(who, dobjstr))
  return;
elseif (who == player || who.wizard)
  player:tell("Wizards are not toads.");
elseif (player.wizard && $command_utils:yes_or_no(tostr("Toad ", $string_utils:nn(who), "?")))
  if (who in connected_players())
    boot_player(who);
  endif
  who.programmer = 0;
  set_player_flag(who, 0);
  move(who, $nothing);
  player:tell($string_utils:nn(who), " is no player any more.  Its things are still its own: see @owned and @chown.");
endif
.
