object $hall
  name "The Hall"
  owner $hacker
  parent $room
  flags r

set aliases = {"hall"}
set exits = {$hall_north, $hall_east, $hall_south}
set description = {
  "A long hall with coat hooks and a worn carpet. From the north comes the noise of",
  "ticking; a glass door in the east leads to the garden, and the porch is south."
}
