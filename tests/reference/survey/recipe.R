# Reference numbers of small.csv: R 4.2.2, package survey 4.1-1 (Debian 12: r-base-core, r-cran-survey, r-cran-jsonlite), November 2026.
# Run in this folder: Rscript recipe.R; it writes small.json with 15 digits. small.csv is made up: 4 strata, blocks with labels
# that are used again in every stratum, households, people, two waves; stratum D has a single block.
suppressMessages({library(survey); library(jsonlite)})
options(digits = 22)
small <- read.csv("small.csv", colClasses = c(wave = "character"))
small$unsafe34 <- as.numeric(small$unsafe >= 3)
first <- subset(small, wave == "2021")
three <- subset(first, stratum != "D")

row <- function(s, df) list(estimate = as.numeric(coef(s)), std_error = as.numeric(SE(s)), df = df)
all_of <- function(d) list(
  mean = row(svymean(~age, d), degf(d)),
  mean_missing = row(svymean(~income, d, na.rm = TRUE), degf(d)),
  total = row(svytotal(~age, d), degf(d)),
  ratio = row(svyratio(~income, ~age, d, na.rm = TRUE), degf(d)),
  share = row(svymean(~unsafe34, d, na.rm = TRUE), degf(d)),
  deff = as.numeric(deff(svymean(~age, d, deff = "replace"))),
  north = row(svymean(~age, subset(d, district == "north")), degf(subset(d, district == "north"))),
  south_total = row(svytotal(~age, subset(d, district == "south")), degf(subset(d, district == "south"))),
  covariance = as.vector(vcov(svymean(~age + unsafe34, d, na.rm = TRUE)))
)
result <- list(
  clusters = all_of(svydesign(~block, strata = ~stratum, weights = ~weight, nest = TRUE, data = three)),
  one_stage = all_of(svydesign(~block, strata = ~stratum, weights = ~weight, fpc = ~blocks, nest = TRUE, data = three)),
  fractions = all_of(svydesign(~block, strata = ~stratum, weights = ~weight, fpc = ~I(c(A = .3, B = .5, C = .2 / 3)[stratum]),
                               nest = TRUE, data = three))
)
# With several stages, units that are alone in their stratum occur below the first stage: "adjust".
options(survey.lonely.psu = "adjust")
result$two_stage <- all_of(svydesign(~block + household, strata = ~stratum, fpc = ~blocks + households, nest = TRUE, data = three))
result$three_stage <- all_of(svydesign(~block + household + person, strata = ~stratum, fpc = ~blocks + households + persons,
                                       nest = TRUE, data = three))
result$second_strata <- all_of(svydesign(~block + household, strata = ~stratum + district, weights = ~weight,
                                         fpc = ~I(blocks * 0 + 40) + I(households * 0 + 50), nest = TRUE, data = three))
for (lonely in c("adjust", "average", "remove", "certainty")) {
  options(survey.lonely.psu = lonely)
  result[[paste0("lonely_", lonely)]] <- all_of(svydesign(~block, strata = ~stratum, weights = ~weight, nest = TRUE, data = first))
}
options(survey.lonely.psu = "fail")
# Change between waves: the coefficient of the wave in a linear model has the linearised variance of the difference of two means.
both <- subset(small, stratum != "D")
change <- function(d, formula) {
  fit <- svyglm(formula, d)
  list(estimate = as.numeric(coef(fit)[2]), std_error = as.numeric(SE(fit)[2]), df = degf(d))
}
overlap <- svydesign(~block, strata = ~stratum, weights = ~weight, nest = TRUE, data = both)
apart <- svydesign(~block, strata = ~interaction(wave, stratum), weights = ~weight, nest = TRUE, data = both)
result$change <- list(
  overlap = change(overlap, age ~ wave), independent = change(apart, age ~ wave),
  overlap_share = change(overlap, unsafe34 ~ wave), independent_share = change(apart, unsafe34 ~ wave)
)
# Intervals of a share.
d <- svydesign(~block, strata = ~stratum, weights = ~weight, nest = TRUE, data = subset(three, !is.na(unsafe)))
share <- function(method) as.numeric(attr(svyciprop(~unsafe34, d, method = method), "ci"))
m <- svymean(~unsafe34, d)
logit <- svycontrast(m, quote(log(unsafe34 / (1 - unsafe34))))
result$intervals <- list(logit = as.numeric(plogis(confint(logit, df = degf(d)))), korn_graubard = share("beta"), wald = share("mean"))
# Several differences at once: Wald test of the coefficients of a factor with three levels.
d <- svydesign(~block, strata = ~stratum, weights = ~weight, nest = TRUE, data = three)
fit <- svyglm(age ~ stratum, d)
test <- regTermTest(fit, ~stratum, df = degf(d))
result$joint <- list(wald = as.numeric(test$Ftest) * test$df, df = degf(d))
write(toJSON(result, digits = I(17), auto_unbox = TRUE, pretty = TRUE), "small.json")
