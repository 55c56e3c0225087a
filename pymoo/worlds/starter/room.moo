object $room
  name "generic room"
  owner $hacker
  parent $root
  flags r f

property exits rc = {}
property dark rc = 0                // true: what is here is not listed
property free_entry rc = 1          // false: only the owner's things may come in
property open_to_builders rc = 0    // true: everybody may add exits
property directions r = {"north", "n", "northeast", "ne", "east", "e", "southeast", "se", "south", "s",
  "southwest", "sw", "west", "w", "northwest", "nw", "up", "u", "down", "d", "in", "out"}

set help_msg = {
  "A room is a place for players and things. To make one, see `help @dig'. With @set, its",
  "owner can change .free_entry (who and what may come in), .dark (whether things are",
  "listed) and .open_to_builders (whether everybody may add exits).",
  "",
  "  :announce(@text)                  tell all here but the player",
  "  :announce_all(@text)              tell all here",
  "  :announce_all_but(list, @text)    tell all here but those of a list",
  "  :look_self()                      describe the room to the player",
  "  :acceptable(object)               whether an object may come in",
  "  :eject(player)                    send somebody home, if the caller may",
  "  :enterfunc(object)                the server: an object has come in",
  "  :exitfunc(object)                 the server: an object has gone out",
  "  :confunc(player), :disfunc(player)  a player has connected, disconnected here",
  "  :match_exit(string)               the exit of a name, or $failed_match",
  "  :huh(@words)                      a command that no verb fits"
}

// --- commands

verb "say" any any any rd
"say <text>    \"<text>    Talk to all in the room.";
if (!argstr)
  return player:tell("Say what?");
endif
player:tell("You say, \"", argstr, "\"");
this:announce(player:titlec(), " says, \"", argstr, "\"");
.

verb "emote" any any any rd
"emote <text>    :<text>    Do something, in words: `:waves' shows `Anna waves'.";
"With a second colon there is no blank behind the name.";
if (argstr && argstr[1] == ":")
  this:announce_all(player:titlec(), argstr[2..$]);
else
  this:announce_all(player:titlec(), " ", argstr);
endif
.

verb "l*ook" any any any rd
"look    look <object>    look at <object>    look in <object>";
if (!argstr)
  return this:look_self();
endif
{what, name} = prepstr ? {iobj, iobjstr} | {dobj, dobjstr};
if (name && !valid(what))
  what = player:my_match_object(name);
endif
if (prepstr in {"in", "inside"})
  if (!$command_utils:object_match_failed(what, name))
    if ($object_utils:has_callable_verb(what, "look_inside"))
      what:look_inside();
    else
      player:tell("You cannot look into ", what:title(), ".");
    endif
  endif
elseif (prepstr && (prepstr != "at" || dobjstr))
  player:tell("You can `look', `look <object>' and `look in <object>'.");
elseif (!$command_utils:object_match_failed(what, name))
  what:look_self();
endif
.

verb "go" any any any rd
"go <direction>    The name of an exit is also a command of its own.";
if (!argstr)
  player:tell("Go where?  ", this:exits_text());
elseif (valid(exit = this:match_exit(argstr)))
  exit:invoke();
else
  player:tell("You cannot go that way.  ", this:exits_text());
endif
.

verb "@exits" none none none rd
"@exits    List the exits of the room, with their numbers.";
for exit in (this.exits)
  names = listset($match_utils:names_of(exit), $string_utils:nn(exit), 1);
  dest = `exit.dest ! ANY => $nothing';
  player:tell("  ", $string_utils:from_list(setremove(names, exit.name), ", "), " to ", $string_utils:nn(dest));
endfor
if (!this.exits)
  player:tell("There are no exits here.");
endif
.

// --- what is said and seen

verb "announce_all_but" this none this rxd
"announce_all_but(list, @text): tell the text to all here that are not in the list.";
{others, @text} = args;
for what in (this.contents)
  if (!(what in others))
    `what:tell(@text) ! ANY';
  endif
endfor
.

verb "announce" this none this rxd
"announce(@text): tell the text to all here but the player.";
this:announce_all_but({player}, @args);
.

verb "announce_all" this none this rxd
"announce_all(@text): tell the text to all here.";
this:announce_all_but({}, @args);
.

verb "look_self" this none this rxd
"look_self(): show the room to the player.";
player:tell(this:title());
pass();
if (!this.dark)
  this:tell_contents();
endif
player:tell(this:exits_text());
.

verb "tell_contents" this none this rxd
"tell_contents(): tell the player which things and whom else there is to see.";
things = people = {};
for what in (setremove(this.contents, player))
  if (is_player(what))
    people = {@people, what};
  else
    things = {@things, what};
  endif
endfor
if (things)
  player:tell("You see ", $string_utils:title_list(things), " here.");
endif
if (people)
  player:tell($string_utils:title_list(people), length(people) == 1 ? " is" | " are", " here.");
endif
.

verb "exits_text" this none this rxd
"exits_text() => a sentence about the exits.";
names = {};
for exit in (this.exits)
  if (valid(exit) && !`exit.hidden ! ANY => 1')
    names = {@names, exit.name};
  endif
endfor
if (!names)
  return "There is no exit to be seen; `home' takes you home.";
endif
return tostr("You can go ", $string_utils:english_list(names, "", " or "), ".");
.

// --- matching

verb "match_exit" this none this rxd
"match_exit(string) => the first exit of that name, or $failed_match.  The first, so that";
"a way that others add cannot make one ambiguous that was there before.";
found = $match_utils:match_list(args[1], this.exits);
return found && args[1] ? found[1] | $failed_match;
.

verb "huh" this none this rxd
"huh(@words): the server found no verb for a command; `verb' is its first word.";
if (!argstr && valid(exit = this:match_exit(verb)))
  exit:invoke();
elseif (!argstr && verb in this.directions)
  player:tell("You cannot go that way.  ", this:exits_text());
else
  $command_utils:do_huh(verb, args);
endif
.

// --- coming and going

verb "acceptable" this none this rxd
"acceptable(object): players and things; only the owner's if there is no free entry.";
{what} = args;
if (!is_player(what) && !$object_utils:isa(what, $thing))
  return 0;
endif
return this.free_entry || $perm_utils:controls(what.owner, this);
.

verb "enterfunc" this none this rxd
"enterfunc(object): the server has moved an object here; a player looks around.";
{what} = args;
if (what == player && is_player(what))
  this:look_self();
endif
.

verb "exitfunc" this none this rxd
"exitfunc(object): the server has moved an object away.";
.

verb "confunc" this none this rxd
"confunc(player): somebody has connected here.";
{who} = args;
this:announce_all_but({who}, who:titlec(), " wakes up.");
.

verb "disfunc" this none this rxd
"disfunc(player): somebody who was here has disconnected.";
{who} = args;
this:announce_all_but({who}, who:titlec(), " falls asleep and is gone.");
.

verb "add_exit" this none this rxd $wizard
"add_exit(exit): for the owner of the room; for everybody where builders are welcome.";
{exit} = args;
if (!$perm_utils:controls(caller_perms(), this))
  if (!this.open_to_builders || !$perm_utils:controls(caller_perms(), exit) || exit.source != this)
    raise(E_PERM);
  endif
endif
this.exits = setadd(this.exits, exit);
.

verb "remove_exit" this none this rxd $wizard
"remove_exit(exit): for the owner of the room or of the exit, and for the exit itself.";
{exit} = args;
if (caller != exit && !$perm_utils:controls(caller_perms(), this) && !$perm_utils:controls(caller_perms(), exit))
  raise(E_PERM);
endif
this.exits = setremove(this.exits, exit);
.

verb "eject" this none this rxd $wizard
"eject(player): send somebody who is here home; for the owner of the room.";
{who} = args;
if (!$perm_utils:controls(caller_perms(), this))
  raise(E_PERM);
elseif (!is_player(who) || who.location != this)
  raise(E_INVARG, "Only players who are here can be sent home");
elseif (who.wizard)
  raise(E_PERM, "Wizards stay where they are");
endif
who:tell("You are sent home from ", this:title(), ".");
who:go_home();
this:announce(who:titlec(), " is sent home.");
.

verb "recycle" this none this rxd $wizard
"recycle(): the server is about to destroy the room; all that is in it goes home.";
if (caller == this || $perm_utils:controls(caller_perms(), this))
  for exit in (this.exits)
    if (valid(exit) && exit.owner == this.owner)
      recycle(exit);
    endif
  endfor
  for what in (this.contents)
    if (is_player(what))
      what:tell("The room dissolves around you, and you are somewhere else.");
      what:go_home();
    else
      `move(what, what.owner) ! ANY';
    endif
  endfor
endif
.
