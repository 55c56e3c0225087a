object $builder
  name "generic builder"
  owner $wizard
  parent $player
  flags r

set ownership_quota "" $wizard = 20
set help_msg = {
  "Builders make rooms, exits and things: see `help building'.  New players are",
  "builders."
}

verb "@create" any any any rd
"@create <parent> named <name>[,<alias>,...]    Make an object; you get it in hand.";
set_task_perms(player);
if (!(parts = $command_utils:split(argstr, "named") || $command_utils:split(argstr, "called")))
  player:tell("Usage: @create <parent> named <name>[,<alias>,...]");
  return player:tell("For instance: @create $thing named red ball,ball");
endif
{name, text} = parts;
what = player:my_match_object(name);
if (!$command_utils:object_match_failed(what, name))
  new = $building_utils:create(what, text);
  if (typeof(new) == OBJ)
    `new:moveto(player) ! ANY';
    where = new.location == player ? "; you have it in hand." | ".";
    player:tell($string_utils:nn(new), " is made from ", $string_utils:nn(what), where);
  else
    player:tell(new);
  endif
endif
.

verb "@recycle" any none none rd
"@recycle <object>    Destroy an object of yours.  There is no way back.";
set_task_perms(player);
what = player:my_match_object(dobjstr);
if ($command_utils:object_match_failed(what, dobjstr))
  return;
elseif (is_player(what))
  player:tell("Players are not recycled.");
elseif (!$perm_utils:controls(player, what))
  player:tell($string_utils:nn(what), " is not yours.");
elseif ($command_utils:yes_or_no(tostr("Destroy ", $string_utils:nn(what), "?")))
  name = $string_utils:nn(what);
  try
    recycle(what);
    player:tell(name, " is destroyed.");
  except e (ANY)
    player:tell(name, valid(what) ? " is still here: " | " is destroyed, but: ", e[2], ".");
  endtry
else
  player:tell("Nothing is destroyed.");
endif
.

verb "@dig" any any any rd
"@dig <room>    @dig <exit>[|<exit back>] to <room>    Make a room, and exits to it.";
set_task_perms(player);
if (!argstr)
  player:tell("Usage: @dig <room>  or  @dig <exit>[|<exit back>] to <room>");
  return player:tell("For instance: @dig north,n|south,s to Attic");
endif
{exits, name} = $command_utils:split(argstr, "to") || {"", argstr};
name = $string_utils:unquote(name);
here = player.location;
room = exits ? player:my_match_object(name) | $failed_match;
if (!valid(room))
  room = $building_utils:create($room, name);
  if (typeof(room) != OBJ)
    return player:tell(room);
  endif
  player:tell($string_utils:nn(room), " is dug.");
elseif (!$object_utils:isa(room, $room))
  return player:tell($string_utils:nn(room), " is not a room.");
endif
if (exits)
  {there, ?back = ""} = $string_utils:explode($string_utils:unquote(exits), "|");
  player:tell($building_utils:make_exit(there, here, room));
  if (back)
    player:tell($building_utils:make_exit(back, room, here));
  endif
else
  player:tell("No exit leads there: use @dig <exit> to ", room, ", or @go ", room, ".");
endif
.

verb "@chparent" any at any rd
"@chparent <object> to <parent>    Give an object another parent.";
set_task_perms(player);
what = player:my_match_object(dobjstr);
to = player:my_match_object(iobjstr);
if (!$command_utils:object_match_failed(what, dobjstr) && !$command_utils:object_match_failed(to, iobjstr))
  if (is_player(what) && !player.wizard)
    player:tell("Players keep their parents.");
  else
    try
      chparent(what, to);
      player:tell("The parent of ", $string_utils:nn(what), " is now ", $string_utils:nn(to), ".");
    except e (ANY)
      player:tell(e[2], e[1] == E_INVARG ? ": one defines a property that the other has as well." | ".");
    endtry
  endif
endif
.

verb "@move" any at any rd
"@move <object> to <place>    Move an object of yours; nobody sees it go.";
set_task_perms(player);
what = player:my_match_object(dobjstr);
place = player:my_match_object(iobjstr);
if (!$command_utils:object_match_failed(what, dobjstr) && !$command_utils:object_match_failed(place, iobjstr))
  try
    what:moveto(place);
    player:tell($string_utils:nn(what), " is now in ", $string_utils:nn(what.location), ".");
  except e (ANY)
    player:tell(e[2], ".");
  endtry
endif
.

verb "@go" any none none rd
"@go <room>    Go there at once, wherever it is.";
place = player:my_match_object(dobjstr);
if (player != this || $command_utils:object_match_failed(place, dobjstr))
  return;
elseif (!$object_utils:isa(place, $room) || !place:acceptable(player))
  player:tell("You cannot go to ", $string_utils:nn(place), ".");
elseif (place == player.location)
  player:tell("You are there.");
else
  set_task_perms(player);
  player.location:announce(player:titlec(), " disappears.");
  player:moveto(place);
  player.location:announce(player:titlec(), " appears.");
endif
.

verb "@set" any any any rd
"@set <object>.<property> to <value>    What is no value is taken as text.";
set_task_perms(player);
parts = $command_utils:split(argstr, "to");
spec = parts && $code_utils:parse_propref(parts[1]);
if (!spec)
  return player:tell("Usage: @set <object>.<property> to <value>");
endif
what = player:my_match_object(spec[1]);
if ($command_utils:object_match_failed(what, spec[1]))
  return;
endif
{good, value} = $string_utils:text_or_value(parts[2]);
if (good)
  try
    what.(spec[2]) = value;
    player:tell($string_utils:nn(what), ".", spec[2], " is now ", toliteral(what.(spec[2])), ".");
  except e (ANY)
    player:tell(e[1] == E_PROPNF ? tostr($string_utils:nn(what), " has no property \"", spec[2], "\".") | e[2] + ".");
  endtry
else
  player:tell("That is no value: ", value, ".");
endif
.

verb "@quota" any none none rd
"@quota    How many objects more you may make.";
if (player == this)
  quota = player.ownership_quota;
  many = typeof(quota) == INT ? $string_utils:count(quota, "more object") | "as many objects as you like";
  player:tell("You may make ", many, ".");
endif
.

verb "@owned @audit" any none none rd
"@owned [<player>]    All that you own, or somebody else.";
set_task_perms(player);
who = dobjstr ? $string_utils:match_player(dobjstr) | player;
if (!$command_utils:player_match_failed(who, dobjstr))
  count = 0;
  for what in [#0..max_object()]
    $command_utils:suspend_if_needed(0);
    if (valid(what) && what.owner == who)
      where = valid(what.location) ? "in " + $string_utils:nn(what.location) | "";
      player:tell($string_utils:trimr(tostr("  ", $string_utils:left($string_utils:nn(what), 36), " ", where)));
      count = count + 1;
    endif
  endfor
  player:tell(who:titlec(), " owns ", $string_utils:count(count, "object"), ".");
endif
.

verb "@parents @kids" any none none rd
"@parents <object>    @kids <object>    What it is made from, and what is made from it.";
what = player:my_match_object(dobjstr);
if (!$command_utils:object_match_failed(what, dobjstr))
  family = verb == "@kids" ? children(what) | {what, @$object_utils:ancestors(what)};
  for one in (family)
    player:tell("  ", $string_utils:nn(one));
  endfor
  if (!family)
    player:tell("Nothing is made from ", $string_utils:nn(what), ".");
  endif
endif
.

verb "@mess*ages" any none none rd
"@messages <object>    What it says when something is done with it; see @set.";
set_task_perms(player);
what = player:my_match_object(dobjstr);
if (!$command_utils:object_match_failed(what, dobjstr))
  names = {};
  for above in ({what, @$object_utils:ancestors(what)})
    for name in (`properties(above) ! E_PERM => {}')
      names = match(name, "_msg$") && name != "help_msg" ? setadd(names, name) | names;
    endfor
  endfor
  for name in (names)
    value = `toliteral(what.(name)) ! E_PERM => "(not readable)"';
    player:tell("  ", $string_utils:left(name, 20), " ", value);
  endfor
  if (!names)
    player:tell($string_utils:nn(what), " has no messages.");
  endif
endif
.

verb "@eject" any none none rd
"@eject <player>    Send somebody home from a room of yours.";
set_task_perms(player);
who = player:my_match_object(dobjstr);
if ($command_utils:object_match_failed(who, dobjstr))
  return;
elseif ($command_utils:attempt(player.location, "eject", who))
  player:tell("You send ", who:title(), " home.");
endif
.
