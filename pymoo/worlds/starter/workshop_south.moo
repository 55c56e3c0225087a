object $workshop_south
  name "south"
  owner $hacker
  parent $exit
  flags r

set aliases = {"south", "s"}
set source = $workshop
set dest = $hall
