object $box
  name "box"
  parent $root
  owner $programmer
  location $lab
  flags r

verb accept this none this rxd $wizard
return 1;
.
