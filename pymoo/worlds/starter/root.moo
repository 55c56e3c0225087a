object $root
  name "root class"
  owner $wizard
  flags r f

property aliases rc = {}
property description rc = ""
property help_msg rc = ""

verb "title" this none this rxd $hacker
"title(): the name as others are shown it; descendants may dress it up.";
return this.name;
.

verb "titlec" this none this rxd $hacker
"titlec(): the title for the beginning of a sentence.";
return $string_utils:capitalize(this:title());
.

verb "description" this none this rxd $hacker
"description(): what is seen by those who look, a string or a list of lines.";
return this.description;
.

verb "describe" this none this rxd
"describe(text): set the description, with the permissions of the caller.";
set_task_perms(caller_perms());
{text} = args;
this.description = text;
.

verb "set_name" this none this rxd
"set_name(name [, aliases]): rename the object, with the permissions of the caller.";
set_task_perms(caller_perms());
{name, ?aliases = {name}} = args;
this.name = name;
this.aliases = setadd(aliases, name);
.

verb "look_self" this none this rxd $hacker
"look_self(): tell the player what the object looks like.";
text = this:description();
player:tell_lines(text ? text | "You see nothing special.");
.

verb "do_examine" this none this rxd $hacker
"do_examine(): tell the player all that there is to see of the object.";
names = $list_utils:setremove_all($match_utils:names_of(this), this.name);
player:tell($string_utils:nn(this), names ? ", also called " + $string_utils:english_list(names) | "", ".");
player:tell("Owned by ", $string_utils:nn(this.owner), ", made from ", $string_utils:nn(parent(this)), ".");
this:look_self();
if (commands = this:obvious_commands())
  player:tell("Commands for it:");
  for line in (commands)
    player:tell("  ", line);
  endfor
endif
.

verb "obvious_commands" this none this rxd $hacker
"obvious_commands(): one line for each command that has this object in it.";
lines = {};
for what in ({this, @$object_utils:ancestors(this)})
  for entry in ($code_utils:commands_of(what))
    {names, spec} = entry;
    if ("this" in spec)
      lines = setadd(lines, $code_utils:usage(names, spec, this.name));
    endif
  endfor
endfor
return lines;
.

verb "acceptable" this none this rxd $hacker
"acceptable(object): whether the object may come into this one.  Rooms, players and";
"containers say more than this.";
return 0;
.

verb "accept" this none this rxd $hacker
"accept(object): the server asks whether an object may be moved here.";
return this:acceptable(@args);
.

verb "moveto" this none this rxd
"moveto(place): move the object, if the caller is the object itself or controls it.";
if (caller != this && !$perm_utils:controls(caller_perms(), this))
  raise(E_PERM);
endif
set_task_perms(this.owner);
return move(this, args[1]);
.

verb "tell tell_lines" this none this rxd $hacker
"tell(@text): hear something.  Only players do more than ignore it.";
.
