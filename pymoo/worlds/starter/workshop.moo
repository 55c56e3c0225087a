object $workshop
  name "The Workshop"
  owner $hacker
  parent $room
  flags r

set aliases = {"workshop"}
set exits = {$workshop_south}
set description = {
  "Shelves with gears, springs and half a clock. The things made here have verbs of",
  "their own: try `wind mouse', then `examine mouse'. Programmers can read how it is",
  "done with `@list $toy:wind'; `help programming' says how to make such a thing."
}
