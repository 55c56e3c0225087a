object $programmer
  name "Programmer"
  parent $root
  owner $programmer
  location $lab
  flags player programmer
