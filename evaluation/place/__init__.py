"""What happens where: changes by area against the fluctuation that is usual there."""
