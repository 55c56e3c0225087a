object $lab
  name "Laboratory"
  parent $root
  owner $wizard
  flags r

// What a program costs between the two looks at the counter besides its own ticks.
property cost r = 5
// How many verbs and properties each object has when nothing was added to it.
property verb_counts r = {3, 0, 9, 0, 0, 0, 1, 4, 1, 1}
property property_counts r = {8, 0, 3, 0, 0, 0, 0, 4, 0, 1}

verb x any any any rxd
id = args[1];
this:clean();
this:go(id, argstr[length(id) + 2..$]);
.

verb n any any any rxd
id = args[1];
this:go(id, argstr[length(id) + 2..$]);
.

verb u any any any rxd
id = args[1];
code = argstr[length(id) + 2..$];
cost = this.cost;
notify(player, "@@B " + id);
set_task_perms(player);
t = ticks_left();
r = eval(code);
u = ticks_left();
notify(player, tostr("@@E ", id, r[1] ? " ok " | " compile ", r[1] ? t - u - cost | 0, " ", toliteral(r[2])));
.

verb c any any any rxd
"A tiny allowance of ticks goes first; if it is our own, the next one does the rest.";
for name in ({"fg_ticks", "bg_ticks"})
  `delete_property($server_options, name) ! ANY';
endfor
if (ticks_left() < 3000)
  return;
endif
this:clean();
notify(player, "@@C " + args[1]);
.

verb go this none this rxd
{id, code} = args;
cost = this.cost;
notify(player, "@@B " + id);
set_task_perms(player);
try
  t = ticks_left();
  r = eval(code);
  u = ticks_left();
  ok = 1;
except e (ANY)
  u = ticks_left();
  ok = 0;
endtry
if (ok)
  notify(player, tostr("@@E ", id, r[1] ? " ok " | " compile ", r[1] ? t - u - cost | 0, " ", toliteral(r[2])));
else
  notify(player, tostr("@@T ", id, " ", toliteral(e[4])));
  notify(player, tostr("@@E ", id, " raise ", t - u - cost, " ", toliteral(e[1..3])));
endif
.

verb clean this none this rxd
for t in (queued_tasks())
  `kill_task(t[1]) ! ANY';
endfor
this:forget_objects();
is_changed = 0;
for i in [1..length(this.verb_counts)]
  o = toobj(i - 1);
  while ((n = length(verbs(o))) > this.verb_counts[i])
    delete_verb(o, n);
  endwhile
  names = properties(o);
  for name in (names[this.property_counts[i] + 1..$])
    delete_property(o, name);
    is_changed = is_changed || o == $server_options;
  endfor
endfor
if (is_changed)
  load_server_options();
endif
for who in (players())
  if (who.location != this)
    move(who, this);
  endif
endfor
.

verb forget_objects this none this rxd
last = length(this.verb_counts) - 1;
if (toint(max_object()) == last)
  return;
endif
"Twice over all, for a :recycle that raises is no reason to keep the object.";
for i in [last + 1..toint(max_object())]
  o = toobj(i);
  if (valid(o))
    for v in (verbs(o))
      delete_verb(o, 1);
    endfor
  endif
endfor
for i in [last + 1..toint(max_object())]
  o = toobj(i);
  if (valid(o))
    `recycle(o) ! ANY';
  endif
endfor
reset_max_object();
.

// Shows what the parser of commands has made of a line.
verb parse any any any rxd
for name in ({"verb", "argstr", "args"})
  notify(player, name + " " + toliteral(name == "verb" ? verb | (name == "args" ? args | argstr)));
endfor
notify(player, tostr("dobj ", dobj, " ", toliteral(dobjstr)));
notify(player, "prep " + toliteral(prepstr));
notify(player, tostr("iobj ", iobj, " ", toliteral(iobjstr)));
.

// As a convenience of some clients `;CODE' is there as well.
verb eval any any any rd
set_task_perms(player);
notify(player, toliteral(eval(argstr)));
.
