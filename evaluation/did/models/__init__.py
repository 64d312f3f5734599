"""What imputation, two-way fixed effects and Poisson models have in common."""
