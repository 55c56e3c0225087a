// The programmed toy of the tour.  Its verbs are short, and each shows something:
// a command, a task that goes on by itself, a verb that says what others see.
object $toy
  name "tin mouse"
  owner $hacker
  parent $thing
  location $workshop
  flags r f

property turns r = 0            // how often the key can still turn
property max_turns r = 5
property steps r = {
  "%T runs in a small circle.",
  "%T stops, wiggles its ears and runs on.",
  "%T bumps into something and turns round.",
  "%T rattles across the floor."
}

set aliases = {"mouse", "toy"}
set help_msg = {
  "A toy to wind up. Read its program with",
  "  @list $toy:wind    and    @list $toy:run",
  "and make one of your own with `@create $toy named tin frog,frog'."
}

verb "wind" this none none rd
"wind <toy>    Wind it up, and let it run.";
if (!(this.location in {player, player.location}))
  return player:tell("You cannot reach ", this:title(), " from here.");
elseif (this.turns >= this.max_turns)
  return player:tell("It is wound up as far as it goes.");
endif
was_running = this.turns > 0;
this.turns = this.turns + 2;
player:tell("You turn the key in ", this:title(), ".  Click, click.");
player.location:announce(player:titlec(), " winds up ", this:title(), ".");
if (!was_running)
  "The command ends here; the task that is forked goes on in two seconds.";
  fork (2)
    this:run();
  endfork
endif
.

verb "run" this none this rxd
"run(): move, as long as there is a turn left, one step every three seconds.";
if (caller != this)
  raise(E_PERM);
endif
while (this.turns > 0)
  this:announce_here($string_utils:pronoun_sub(this.steps[random($)]));
  this.turns = this.turns - 1;
  suspend(3);
endwhile
this:announce_here($string_utils:pronoun_sub("%T runs down and stops."));
.

verb "announce_here" this none this rxd
"announce_here(@text): tell everybody who can see the toy, the one who holds it included.";
place = this.location;
if (valid(place) && is_player(place))
  place:tell(@args);
  place = place.location;
endif
if ($object_utils:has_callable_verb(place, "announce_all_but"))
  place:announce_all_but({this.location}, @args);
endif
.

verb "description" this none this rxd
"description(): the looks, and whether it moves.";
state = this.turns > 0 ? "It is running about." | "It stands still: try `wind mouse'.";
return "A mouse of painted tin with a key in its back. " + state;
.
