object $garden
  name "The Garden"
  owner $hacker
  parent $room
  flags r

set aliases = {"garden"}
set exits = {$garden_west}
set open_to_builders = 1
set description = {
  "A lawn with more molehills than flowers, and a lot of room. The house is in the west.",
  "Everybody may build from here: `@dig path,p|back,b to My Place' makes a place of your",
  "own with a way to it and one back. See `help building'."
}
