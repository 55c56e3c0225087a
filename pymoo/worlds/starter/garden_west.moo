object $garden_west
  name "west"
  owner $hacker
  parent $exit
  flags r

set aliases = {"west", "w"}
set source = $garden
set dest = $hall
