object $visitor
  name "Visitor"
  parent $root
  owner $visitor
  location $lab
  flags player
