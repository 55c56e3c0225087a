object $building_utils
  name "Building Utilities"
  owner $wizard
  parent $root
  flags r

set aliases = {"building_utils"}
set description = "Verbs that make rooms, exits and things."
set help_msg = {
  "Each works with the permissions of its caller.",
  "  :create(parent, text)             a new object named as in `red ball,ball'",
  "  :make_exit(text, source, dest)    an exit named so, and what to tell of it",
  "  :parse_names(text)                {name, all aliases}"
}

verb "parse_names" this none this rxd $hacker
"parse_names(text) => {name, @aliases} of a text such as `red ball,ball'.";
names = {};
for name in ($string_utils:explode($string_utils:unquote(args[1]), ","))
  if (name = $string_utils:trim(name))
    names = setadd(names, name);
  endif
endfor
return names || {"nameless"};
.

verb "create" this none this rxd
"create(parent, text) => a new object named as the text says, or a message.";
set_task_perms(caller_perms());
{what, text} = args;
names = this:parse_names(text);
try
  new = create(what);
  new:set_name(names[1], names);
  return new;
except (E_QUOTA)
  return "You have made as many objects as you may: see `help @quota'.";
except e (ANY)
  return tostr("Nothing can be made from ", $string_utils:nn(what), ": ", e[2], ".");
endtry
.

verb "make_exit" this none this rxd
"make_exit(text, source, dest) => what to tell of the new exit, or why there is none.";
set_task_perms(caller_perms());
{text, source, dest} = args;
new = this:create($exit, text);
if (typeof(new) != OBJ)
  return new;
endif
try
  new.source = source;
  new.dest = dest;
  source:add_exit(new);
  {here, there} = {$string_utils:nn(source), $string_utils:nn(dest)};
  return tostr("Exit ", $string_utils:nn(new), " leads from ", here, " to ", there, ".");
except e (ANY)
  recycle(new);
  return tostr("You cannot add exits to ", $string_utils:nn(source), ": ", e[2], ".");
endtry
.
