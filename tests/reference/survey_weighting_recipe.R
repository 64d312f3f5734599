# Reference numbers of weighting and replicates on survey_models.csv (made up: 4 strata, blocks with labels that are used
# again in every stratum): R 4.2.2 with survey 4.1-1 (Debian 12: r-base-core, r-cran-survey, r-cran-jsonlite), November
# 2026. Run in this folder: Rscript survey_weighting_recipe.R; it writes survey_weighting.json with 15 digits.
#
# Margins add up to the sum of the weights, because bounds are relative to weights with that sum in the package, and to
# the weights as they are in R. rake() has a variance of its own, with unweighted means of residuals and ten rounds only;
# the variance here is that of calibrate(calfun = "raking") with the same margins.
suppressMessages({library(survey); library(jsonlite)})
options(digits = 22)
d <- read.csv("survey_models.csv", colClasses = c(district = "character"))
d$age[is.na(d$age)] <- 50
d$unsafe <- as.numeric(d$night >= 3)
d$female <- factor(d$female)
d$psu <- paste(d$stratum, d$block)
sex <- data.frame(female = factor(0:1), Freq = c(5400, 6035.85))
area <- data.frame(district = c("00", "01", "10", "11"), Freq = c(4200, 2600, 2700, 1935.85))
cells <- data.frame(female = factor(rep(0:1, each = 4)), district = rep(area$district, 2),
                    Freq = c(1900, 1300, 1200, 1000, 2300, 1300, 1500, 935.85))
totals <- c("(Intercept)" = 11435.85, female1 = 6035.85, district01 = 2600, district10 = 2700, district11 = 1935.85)
aged <- c(totals, age = 605000)
by_sex <- c("(Intercept)" = 11435.85, female1 = 6035.85)

row <- function(s) list(estimate = as.numeric(coef(s)), std_error = as.numeric(SE(s)))
all_of <- function(design) {
  w <- weights(design, "sampling")
  list(
    weights = c(min(w), max(w), sum(w^2)),
    mean = row(svymean(~worry, design)), total = row(svytotal(~times, design)),
    share = row(svymean(~unsafe, design, na.rm = TRUE)), ratio = row(svyratio(~times, ~age, design)),
    north = row(svymean(~worry, subset(design, district == "10"))),
    covariance = as.vector(vcov(svymean(~worry + times, design)))
  )
}
tight <- list(maxit = 200, epsilon = 1e-14)
cal <- function(...) calibrate(..., maxit = 200, epsilon = 1e-13)
clusters <- svydesign(~block, strata = ~stratum, weights = ~weight, fpc = ~blocks, nest = TRUE, data = d)
plain <- svydesign(~block, strata = ~stratum, weights = ~weight, nest = TRUE, data = d)
both <- ~female + district
result <- list(
  post_one = all_of(postStratify(clusters, ~female, sex)),
  post_two = all_of(postStratify(clusters, ~female + district, cells)),
  raking = all_of(cal(clusters, both, totals, calfun = "raking")),
  linear = all_of(cal(clusters, ~female + district + age, aged)),
  linear_bounded = all_of(cal(clusters, ~female + district + age, aged, bounds = c(0.9, 1.2))),
  raking_bounded = all_of(cal(clusters, ~female + district + age, aged, calfun = "raking", bounds = c(0.9, 1.2))),
  logit = all_of(cal(clusters, ~female + district + age, aged, calfun = "logit", bounds = c(0.6, 1.6))),
  chain = all_of(cal(postStratify(clusters, ~female, sex), both, totals, calfun = "raking")),
  trimmed = all_of(trimWeights(plain, lower = 20, upper = 70, strict = TRUE)),
  trimmed_linear = all_of(trimWeights(cal(clusters, both, totals), lower = 18, upper = 60, strict = TRUE)),
  rake_weights = { w <- weights(rake(clusters, list(~female, ~district), list(sex, area), control = tight)); c(min(w), max(w), sum(w^2)) }
)
fit <- svyglm(worry ~ age + female, cal(clusters, both, totals))
result$model <- list(estimate = as.numeric(coef(fit)), std_error = as.numeric(SE(fit)))

# Replicates. as.svrepdesign drops the correction for BRR; JKn keeps it.
pairs <- svydesign(~block, strata = ~stratum, weights = ~weight, nest = TRUE, data = subset(d, block <= 2))
jkn <- as.svrepdesign(clusters, type = "JKn", compress = FALSE)
jk1 <- as.svrepdesign(svydesign(~psu, weights = ~weight, data = d), type = "JK1", compress = FALSE)
result$jkn <- all_of(jkn)
result$jkn_estimate <- all_of(as.svrepdesign(clusters, type = "JKn", mse = TRUE))
result$jk1 <- all_of(jk1)
result$brr <- all_of(as.svrepdesign(pairs, type = "BRR"))
result$fay <- all_of(as.svrepdesign(pairs, type = "Fay", fay.rho = 0.3))
result$jkn_post <- all_of(postStratify(jkn, ~female + district, cells))
result$jkn_raking <- all_of(cal(jkn, both, totals, calfun = "raking", compress = FALSE))
result$jkn_linear <- all_of(cal(jkn, ~female + district + age, aged, compress = FALSE))
logit <- svyglm(unsafe ~ age + female, jkn, family = quasibinomial(), control = list(epsilon = 1e-15, maxit = 100))
result$jkn_model <- list(estimate = as.numeric(coef(logit)), std_error = as.numeric(SE(logit)))
# The same replicates as columns of a file: combined weights with scales, and factors.
columns <- weights(jkn, "analysis")
result$scales <- jkn$rscales
result$columns <- all_of(svrepdesign(data = d, weights = ~weight, repweights = columns, type = "JKn", rscales = jkn$rscales,
                                     scale = 1, combined.weights = TRUE))
result$columns_df <- degf(svrepdesign(data = d, weights = ~weight, repweights = columns, type = "JKn", rscales = jkn$rscales,
                                      scale = 1, combined.weights = TRUE))
write_json(result, "survey_weighting.json", digits = 15, auto_unbox = TRUE, pretty = TRUE)
