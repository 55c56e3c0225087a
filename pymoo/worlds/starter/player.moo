object $player
  name "generic player"
  owner $wizard
  parent $root
  flags r

// What crypt() made of the password; "" for none, and 0 for nobody ever.
property password "" = 0
property home rc = $porch
property ownership_quota "" = 0     // how many objects more the player may make
property last_connect_time r = 0
property last_disconnect_time r = 0
property page_msg rc = "From %l, %n pages you:"

// Not with the c bit, as these names are for others to find the player by.
set aliases r $wizard = {}
set description = "You see somebody whom nobody has described yet."
set help_msg = {
  "A player is the body of somebody who connects.",
  "",
  "  :tell(@text)            show a line of text, joined as by tostr()",
  "  :tell_lines(list)       show each line of a list",
  "  :my_match_object(text)  the object that the player means by a text",
  "  :moveto(place)          go there, if the caller may say so",
  "  :confunc(), :disfunc()  the player has connected, disconnected"
}

// --- being told

verb "notify" this none this rxd
"notify(line): show one line, just as it is.";
notify(this, args[1]);
.

verb "tell" this none this rxd $hacker
"tell(@text): show one line, all arguments joined as by tostr().";
this:notify(tostr(@args));
.

verb "tell_lines" this none this rxd $hacker
"tell_lines(lines): show each line of a list; a string is one line.";
{lines} = args;
for line in (typeof(lines) == LIST ? lines | {lines})
  this:tell(line);
endfor
.

// --- coming and going

verb "confunc" this none this rxd
"confunc(): the player has connected, and wakes up at home.";
if (!(caller in {#0, this}))
  raise(E_PERM);
endif
if (this.location == $limbo || !valid(this.location))
  this:go_home();
else
  this.location:look_self();
endif
since = this.last_connect_time;
this.last_connect_time = time();
if (since)
  this:tell("You were last here on ", ctime(since), ".");
else
  this:tell("This is your first time here. Welcome!  Type `help' if you are lost.");
endif
.

verb "disfunc" this none this rxd
"disfunc(): the player has disconnected, and goes to sleep in limbo.  What is not the";
"player's own stays behind.";
if (!(caller in {#0, this}))
  raise(E_PERM);
endif
for what in (this.contents)
  if (what.owner != this && valid(this.location))
    `what:moveto(this.location) ! ANY';
  endif
endfor
this.last_disconnect_time = time();
move(this, $limbo);
.

verb "go_home" this none this rxd
"go_home(): go home; to $player_start if that does not work, or this is home.";
if (caller != this && !$perm_utils:controls(caller_perms(), this))
  raise(E_PERM);
endif
home = this.home;
if (!valid(home) || home == this.location || !`home:acceptable(this) ! ANY => 0')
  home = $player_start;
endif
move(this, home);
.

verb "acceptable" this none this rxd $hacker
"acceptable(object): things, but not players.";
return $object_utils:isa(args[1], $thing);
.

verb "set_name" this none this rxd
"set_name(name [, aliases]): a player's name must be free and one word.";
{name, ?aliases = {name}} = args;
if (!$perm_utils:controls(caller_perms(), this))
  raise(E_PERM);
elseif (problem = $login:name_problem(name, this))
  raise(E_INVARG, problem);
endif
for alias in (setremove(aliases, name))
  if (problem = $login:name_problem(alias, this))
    raise(E_INVARG, problem);
  endif
endfor
this.name = name;
this.aliases = setadd(aliases, name);
.

verb "look_self" this none this rxd $hacker
"look_self(): the description, whether the player is awake, and what is carried.";
player:tell(this:titlec());
pass();
if (this in connected_players())
  idle = idle_seconds(this);
  player:tell(this:titlec(), idle < 60 ? " is awake." | " has not stirred for " + $time_utils:english_time(idle) + ".");
else
  player:tell(this:titlec(), " is asleep.");
endif
if (this.contents)
  player:tell("Carrying ", $string_utils:title_list(this.contents), ".");
endif
.

verb "my_match_object" this none this rxd $hacker
"my_match_object(string) => the object that this player means by it, an exit last; or one";
"of $nothing, $failed_match and $ambiguous_match.";
{string} = args;
what = $string_utils:match_object(string, this);
if (what == $failed_match && $object_utils:isa(this.location, $room))
  return this.location:match_exit(string);
endif
return what;
.

// --- commands

verb "i*nventory" none none none rd
"inventory    What you carry.";
if (player.contents)
  player:tell("You carry ", $string_utils:title_list(player.contents), ".");
else
  player:tell("You carry nothing.");
endif
.

verb "who @who" any none none rd
"who [<player> ...]    Who is connected, since when, and where.";
who = {};
for name in (args)
  if (!$command_utils:player_match_failed(someone = $string_utils:match_player(name), name))
    who = setadd(who, someone);
  endif
endfor
if (!args || who)
  player:tell_lines($code_utils:who_lines(args ? who | connected_players()));
endif
.

verb "page" any any any rd
"page <player> <text>    Talk to somebody who is elsewhere.";
{name, text} = $string_utils:first_word(argstr) || {"", ""};
text = $string_utils:unquote(text);
who = $string_utils:match_player(name);
if (!text)
  player:tell("Usage: page <player> <text>");
elseif ($command_utils:player_match_failed(who, name))
  return;
elseif (who in connected_players())
  who:tell($string_utils:pronoun_sub(player.page_msg, player));
  who:tell("  \"", text, "\"");
  player:tell("Your message has been sent to ", who:title(), ".");
else
  player:tell(who:titlec(), " is not connected.");
endif
.

verb "whisper" any at any rd
"whisper \"<text>\" to <player>    Only that player hears it.";
if (!$command_utils:object_match_failed(iobj, iobjstr))
  if (iobj.location != player.location || !is_player(iobj))
    player:tell("You can whisper to players who are with you.");
  else
    iobj:tell(player:titlec(), " whispers, \"", dobjstr, "\"");
    player:tell("You whisper, \"", dobjstr, "\" to ", iobj:title(), ".");
  endif
endif
.

verb "exam*ine" any none none rd
"examine <object>    All there is to see of it.";
if (!dobjstr)
  return player:tell("Usage: examine <object>");
endif
what = player:my_match_object(dobjstr);
if (!$command_utils:object_match_failed(what, dobjstr))
  what:do_examine();
endif
.

verb "home" none none none rd
"home    Go home.";
if (player != this)
  return;
elseif (player.location == player.home)
  player:tell("You are at home.");
else
  if (valid(player.location))
    player.location:announce(player:titlec(), " goes home.");
  endif
  player:go_home();
  player.location:announce(player:titlec(), " comes home.");
endif
.

verb "help ? info*rmation" any any any rd
"help [<topic>]    What there is to know about a topic, command or object.";
player:tell_lines($help:text(argstr, player));
.

verb "commands @commands" none none none rd
"commands    The commands that you and the place know; for objects see `examine'.";
player:tell_lines($help:command_lines(player));
.

verb "@quit quit" none none none rd
"@quit    Leave.";
if (player == this)
  player:tell("Goodbye.");
  boot_player(player);
endif
.

verb "@password" any any any rd
"@password <old> <new>    Set your password; leave <old> away if you have none.";
if (player != this)
  return;
elseif (typeof(player.password) != STR)
  player:tell("You cannot have a password.");
elseif (length(args) != (player.password ? 2 | 1))
  player:tell("Usage: @password ", player.password ? "<old> " | "", "<new>");
elseif (!$login:is_password(player, player.password ? args[1] | ""))
  player:tell("That is not your old password.");
elseif (problem = $login:password_problem(args[$]))
  player:tell(problem, ".");
else
  player.password = crypt(args[$]);
  player:tell("Your new password is set.");
endif
.

verb "@desc*ribe" any any any rd
"@describe <object> as <text>    Set what is seen by those who look at it.";
set_task_perms(player);
if (!(parts = $command_utils:split(argstr, "as")))
  player:tell("Usage: @describe <object> as <text>");
else
  {name, text} = parts;
  what = player:my_match_object(name);
  if (!$command_utils:object_match_failed(what, name))
    if ($command_utils:attempt(what, "describe", $string_utils:unquote(text)))
      player:tell("Description of ", $string_utils:nn(what), " set.");
    endif
  endif
endif
.

verb "@rename" any any any rd
"@rename <object> to <name>[,<alias>,...]    @rename <object>:<verb> to <names>";
set_task_perms(player);
if (!(parts = $command_utils:split(argstr, "to")))
  return player:tell("Usage: @rename <object> to <name>[,<alias>,...]  or  @rename <object>:<verb> to \"<names>\"");
endif
{name, text} = parts;
text = $string_utils:unquote(text);
if (spec = $code_utils:parse_verbref(name))
  {what, verbname} = {player:my_match_object(spec[1]), spec[2]};
  if (!$command_utils:object_match_failed(what, spec[1]))
    try
      {owner, perms, names} = verb_info(what, verbname);
      set_verb_info(what, verbname, {owner, perms, text});
      player:tell("Verb ", $string_utils:nn(what), ":", names, " is now called ", text, ".");
    except e (ANY)
      player:tell(e[2], ".");
    endtry
  endif
else
  what = player:my_match_object(name);
  if (!$command_utils:object_match_failed(what, name))
    names = $building_utils:parse_names(text);
    was = $string_utils:nn(what);
    if ($command_utils:attempt(what, "set_name", names[1], names))
      player:tell(was, " is now called ", $string_utils:english_list(names), ".");
    endif
  endif
endif
.

verb "@sethome" none none none rd
"@sethome    Make this place your home.";
set_task_perms(player);
if (player == this)
  if (player.location:acceptable(player))
    player.home = player.location;
    player:tell(player.location:titlec(), " is your home now.");
  else
    player:tell("You could not come home to this place.");
  endif
endif
.
