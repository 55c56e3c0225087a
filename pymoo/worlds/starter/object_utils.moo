object $object_utils
  name "Object Utilities"
  owner $hacker
  parent $root
  flags r

set aliases = {"object_utils"}
set description = "Verbs that tell about objects."
set help_msg = {
  "  :isa(object, ancestor)               whether it is that, or made from it",
  "  :ancestors(object)                   its parent, and so on",
  "  :descendants(object)                 its children, theirs, and so on",
  "  :has_property(object, name)",
  "  :has_verb(object, name)              {where it is defined}, or 0",
  "  :has_callable_verb(object, name)     the same, for verbs with the x bit",
  "  :contains(place, object)             whether it is there, or in something there",
  "  :all_contents(object)                what is in it, in that, and so on"
}

verb "isa" this none this rxd
"isa(object, ancestor): whether the object is the other, or descends from it.";
{what, ancestor} = args;
while (valid(what))
  if (what == ancestor)
    return 1;
  endif
  what = parent(what);
endwhile
return 0;
.

verb "ancestors" this none this rxd
"ancestors(object) => its parent, grandparent, and so on.";
{what} = args;
found = {};
while (valid(what = parent(what)))
  found = {@found, what};
endwhile
return found;
.

verb "descendants" this none this rxd
"descendants(object) => its children, and below each of them theirs.";
found = {};
for child in (children(args[1]))
  found = {@found, child, @this:descendants(child)};
endfor
return found;
.

verb "has_property" this none this rxd
"has_property(object, name): whether there is such a property, readable or not.";
{what, name} = args;
try
  what.(name);
  return 1;
except (E_PERM)
  return 1;
except (E_PROPNF, E_INVIND)
  return 0;
endtry
.

verb "has_verb has_callable_verb" this none this rxd
"has_verb(object, name) => {object that defines the verb}, or 0 if there is none.";
"has_callable_verb(object, name) => the same, for verbs that programs can call.";
{what, name} = args;
callable = verb == "has_callable_verb";
while (valid(what))
  try
    {owner, perms, names} = verb_info(what, name);
    if (!callable || index(perms, "x"))
      return {what};
    endif
  except (E_PERM)
    "It is there, but not to be read.";
    return {what};
  except (E_VERBNF)
    "It may be on the parent.";
  endtry
  what = parent(what);
endwhile
return 0;
.

verb "contains" this none this rxd
"contains(place, object): whether the object is in the place, or in something there.";
{place, what} = args;
while (valid(what))
  what = what.location;
  if (what == place)
    return 1;
  endif
endwhile
return 0;
.

verb "all_contents" this none this rxd
"all_contents(object) => what is in it, in that, and so on.";
found = {};
for what in (args[1].contents)
  found = {@found, what, @this:all_contents(what)};
endfor
return found;
.
