object $hall_east
  name "east"
  owner $hacker
  parent $exit
  flags r

set aliases = {"east", "e"}
set source = $hall
set dest = $garden
