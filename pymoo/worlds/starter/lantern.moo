object $lantern
  name "lantern"
  owner $hacker
  parent $thing
  location $porch
  flags r

property lit r = 0

set aliases = {"lantern", "lamp"}

verb "description" this none this rxd
"description(): it depends.";
state = this.lit ? "burning with a small steady flame" | "dark; `light lantern' would help";
return tostr("A lantern of tin and glass. It is ", state, ".");
.

verb "light" this none none rd
"light <lantern>    Put it out again with `douse'.";
if (this.lit)
  player:tell("The lantern is burning already.");
else
  this.lit = 1;
  player:tell("You light the lantern.");
  player.location:announce(player:titlec(), " lights the lantern.");
endif
.

verb "douse ext*inguish" this none none rd
"douse <lantern>";
if (!this.lit)
  player:tell("The lantern is dark already.");
else
  this.lit = 0;
  player:tell("You put the lantern out.");
  player.location:announce(player:titlec(), " puts the lantern out.");
endif
.
