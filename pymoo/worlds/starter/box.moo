object $box
  name "cigar box"
  owner $hacker
  parent $container
  location $workshop
  flags r

set aliases = {"box"}
set opened r $hacker = 0
set description = "A wooden cigar box, the kind that holds everything but cigars: try `open box'."
