object $list_utils
  name "List Utilities"
  owner $hacker
  parent $root
  flags r

set aliases = {"list_utils"}
set description = "Verbs that work on lists."
set help_msg = {
  "  :map_prop(objects, name)         the property of each object",
  "  :map_verb(objects, name, @args)  the result of the verb for each object",
  "  :sort(list [, keys])             in order, by the keys if they are given",
  "  :reverse(list)                   the other way round",
  "  :remove_duplicates(list)         each element once",
  "  :setremove_all(list, value)      without any of that value",
  "  :assoc(value, lists [, n])       the list whose element n (1) is that value, or {}",
  "  :iassoc(value, lists [, n])      where that list is, or 0",
  "  :slice(lists [, n])              the element n (1) of each list",
  "  :range(from, to)                 {from, ..., to}",
  "  :flatten(list)                   with the elements of its lists in their place"
}

verb "map_prop" this none this rxd $wizard
"map_prop(objects, name) => the values of the property of each.";
set_task_perms(caller_perms());
{objects, name} = args;
values = {};
for what in (objects)
  values = {@values, what.(name)};
endfor
return values;
.

verb "map_verb" this none this rxd $wizard
"map_verb(objects, name, @args) => the results of the verb of each.";
set_task_perms(caller_perms());
{objects, name, @rest} = args;
values = {};
for what in (objects)
  values = {@values, what:(name)(@rest)};
endfor
return values;
.

verb "sort" this none this rxd
"sort(list [, keys]) => the list in order, or in that of the keys, by insertion: each";
"element goes to its place among those before, which is found by halving.";
{elements, ?keys = elements} = args;
sorted = sorted_keys = {};
for number in [1..length(elements)]
  key = keys[number];
  low = 1;
  high = number;
  while (low < high)
    middle = (low + high) / 2;
    if (key < sorted_keys[middle])
      high = middle;
    else
      low = middle + 1;
    endif
  endwhile
  sorted = listinsert(sorted, elements[number], low);
  sorted_keys = listinsert(sorted_keys, key, low);
endfor
return sorted;
.

verb "reverse" this none this rxd
"reverse(list) => the list the other way round.";
result = {};
for element in (args[1])
  result = {element, @result};
endfor
return result;
.

verb "remove_duplicates" this none this rxd
"remove_duplicates(list) => each element where it is first found.";
result = {};
for element in (args[1])
  result = setadd(result, element);
endfor
return result;
.

verb "setremove_all" this none this rxd
"setremove_all(list, value) => the list without any of that value.";
{elements, value} = args;
while (at = value in elements)
  elements = listdelete(elements, at);
endwhile
return elements;
.

verb "assoc" this none this rxd
"assoc(value, lists [, n]) => the first list whose element n, or 1, is the value; or {}.";
at = this:iassoc(@args);
return at ? args[2][at] | {};
.

verb "iassoc" this none this rxd
"iassoc(value, lists [, n]) => where the first list is whose element n, or 1, is the";
"value; or 0.";
{value, lists, ?n = 1} = args;
for number in [1..length(lists)]
  sublist = lists[number];
  if (typeof(sublist) == LIST && length(sublist) >= n && sublist[n] == value)
    return number;
  endif
endfor
return 0;
.

verb "slice" this none this rxd
"slice(lists [, n]) => the element n, or 1, of each list.";
{lists, ?n = 1} = args;
result = {};
for sublist in (lists)
  result = {@result, sublist[n]};
endfor
return result;
.

verb "range" this none this rxd
"range(from, to) => the list of all integers from one to the other.";
{from, to} = args;
result = {};
for number in [from..to]
  result = {@result, number};
endfor
return result;
.

verb "flatten" this none this rxd
"flatten(list) => the list with the elements of its lists in their place.";
result = {};
for element in (args[1])
  if (typeof(element) == LIST)
    result = {@result, @this:flatten(element)};
  else
    result = {@result, element};
  endif
endfor
return result;
.
