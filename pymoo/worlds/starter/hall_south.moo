object $hall_south
  name "south"
  owner $hacker
  parent $exit
  flags r

set aliases = {"south", "s"}
set source = $hall
set dest = $porch
