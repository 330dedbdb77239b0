# The number of epochs as the first word.
secateur compress --data mnist --net 400-300-100 --budget macs=10% --epochs "$1" --out small
