# Reference numbers of survey_tests.json: R 4.2.2 with survey 4.1-1, metafor 3.8-1 and jsonlite (Debian 12: r-base-core,
# r-cran-survey, r-cran-metafor, r-cran-jsonlite), November 2026. Run in this folder: Rscript survey_tests_recipe.R
# It reads survey_models.csv and milk.csv, and writes survey_tests.json.
#
# milk.csv: direct estimates of expenditure on milk in 43 areas with their standard errors, published by Arora and
# Lahiri (1997), On the superiority of the Bayesian method over the BLUP in small area estimation problems, Statistica
# Sinica 7, and by You and Chapman (2006). The recipe stops unless plain residual likelihood gives the published
# coefficients .968189, .132780, .226946, -.241301 and variance .018550 (output in the documentation of R's package sae).
suppressMessages({library(survey); library(metafor); library(jsonlite)})
options(digits = 22, survey.lonely.psu = "fail")
d <- read.csv("survey_models.csv", colClasses = c(district = "character"))
d$unsafe <- as.numeric(d$night >= 3)
designs <- list(
  clusters = svydesign(~block, strata = ~stratum, weights = ~weight, nest = TRUE, data = d),
  one_stage = svydesign(~block, strata = ~stratum, weights = ~weight, fpc = ~blocks, nest = TRUE, data = d)
)
result <- list()

# Ranks of svyranktest depend on the order of equal answers with unequal weights. Here ranks are made from the
# definition, and the test is svyglm's with the score as the answer, which is what svyranktest does with its ranks.
midrank <- function(y, w) sapply(y, function(v) (sum(w[y < v]) + sum(w[y == v]) / 2) / sum(w))
groups_test <- function(score, group, design) {
  design <- update(design, score = score, group = factor(group))
  fit <- svyglm(score ~ group, design, control = list(epsilon = 1e-15))
  beta <- coef(fit)[-1]; V <- vcov(fit)[-1, -1, drop = FALSE]
  r <- length(beta); ddf <- degf(design) - r
  f <- drop(beta %*% solve(V, beta)) / r
  list(estimate = unname(beta), std_error = unname(sqrt(diag(V))), statistic = f, df = ddf,
       p_value = pf(f, r, ddf, lower.tail = FALSE))
}
# The definition: 2 n (p log(p/q) + (1-p) log((1-p)/(1-q))) = t^2 with n = p(1-p)/se^2. svyciprop interpolates it with
# splines, off by up to 2 % for rare answers, and multiplies n by (N-1)/N for N people.
likely <- function(p, se, df) {
  f <- function(q) 2 * (p * (1 - p) / se^2) * (p * log(p / q) + (1 - p) * log((1 - p) / (1 - q))) - qt(.975, df)^2
  c(uniroot(f, c(1e-10, p), tol = 1e-16)$root, uniroot(f, c(p, 1 - 1e-10), tol = 1e-16)$root)
}

for (name in names(designs)) {
  design <- designs[[name]]
  both <- subset(design, !is.na(age) & !is.na(female))
  item <- subset(design, !is.na(night))
  y <- both$variables$age; w <- weights(both)
  rank <- midrank(item$variables$night, weights(item))
  quantiles <- list()
  # Equal answers in the order of their weights, as the package takes them.
  ordered <- d[order(d$age, d$weight), ]
  sorted <- if (name == "clusters") {
    svydesign(~block, strata = ~stratum, weights = ~weight, nest = TRUE, data = ordered)
  } else svydesign(~block, strata = ~stratum, weights = ~weight, fpc = ~blocks, nest = TRUE, data = ordered)
  for (rule in c("math", "hf7")) for (interval in c("mean", "xlogit", "beta", "asin"))
    quantiles[[paste(rule, interval, sep = "_")]] <-
      unname(svyquantile(~age, sorted, c(.1, .25, .5, .75, .9), na.rm = TRUE, qrule = rule, interval.type = interval)[[1]])
  north <- subset(sorted, district == sort(unique(d$district))[1])
  quantiles$domain <- unname(svyquantile(~age, north, c(.25, .5), na.rm = TRUE, interval.type = "mean")[[1]])
  tests <- list()
  for (statistic in c("F", "Chisq", "Wald", "adjWald")) {
    t <- svychisq(~district + night, subset(design, !is.na(night)), statistic = statistic)
    tests[[statistic]] <- list(statistic = as.numeric(t$statistic), df = as.numeric(t$parameter),
                               p_value = as.numeric(t$p.value))
  }
  share <- svymean(~unsafe, item)
  asin <- svyciprop(~I(unsafe == 1), item, method = "asin")
  result[[name]] <- list(
    quantiles = quantiles, tables = tests,
    ttest = groups_test(y, both$variables$female, both),
    ttest_districts = groups_test(y, both$variables$district, both),
    wilcoxon = groups_test(rank, item$variables$female, item),
    wilcoxon_districts = groups_test(rank, item$variables$district, item),
    median = groups_test(as.numeric(rank > .5), item$variables$female, item),
    normal = groups_test(qnorm(rank), item$variables$female, item),
    share = list(p = unname(coef(share)), likelihood = likely(coef(share), c(SE(share)), degf(item)),
                 asin = unname(attr(asin, "ci")))
  )
}

# R's own data, where it is not exact by itself (test_reference.py says where): converged or from the definition.
data(api)
dstrat <- svydesign(id = ~1, strata = ~stype, weights = ~pw, data = apistrat, fpc = ~fpc)
dclus1 <- svydesign(id = ~dnum, weights = ~pw, data = apiclus1, fpc = ~fpc)
sorted <- apistrat[order(apistrat$api00, apistrat$pw), ]
dsorted <- svydesign(id = ~1, strata = ~stype, weights = ~pw, data = sorted, fpc = ~fpc)
share <- svymean(~as.numeric(ell == 0), dclus1)
result$api <- list(
  strat_quant_hf7 = unname(svyquantile(~api00, dsorted, c(.25, .5, .75), interval.type = "mean", qrule = "hf7")[[1]]),
  ciprop_likelihood = likely(coef(share), c(SE(share)), 14),
  ranktest_wilcoxon = groups_test(midrank(apistrat$api00, apistrat$pw), apistrat$comp.imp, dstrat)
)

# Areas. Plain residual likelihood by metafor; the adjusted one (times the variance to the power 1/4) with full
# matrices. The error is metafor's for a known variance, and twice the third term of Prasad and Rao (1990).
milk <- read.csv("milk.csv"); psi <- milk$std_error^2
X <- model.matrix(~factor(milk$major_area))
plain <- rma(milk$direct, psi, mods = X[, -1], method = "REML", control = list(threshold = 1e-15, maxiter = 1000))
published <- c(.968189, .132780, .226946, -.241301, .018550)
stopifnot(abs(c(coef(plain), plain$tau2) - published) < 1e-6)
logl <- function(A) {
  V <- diag(A + psi); Q <- solve(t(X) %*% solve(V, X)); P <- solve(V) - solve(V, X) %*% Q %*% t(solve(V, X))
  .3 * log(A) - (determinant(V)$modulus - determinant(Q)$modulus + t(milk$direct) %*% P %*% milk$direct) / 2
}
slope <- function(A) {
  V <- diag(A + psi); Q <- solve(t(X) %*% solve(V, X)); P <- solve(V) - solve(V, X) %*% Q %*% t(solve(V, X))
  drop(.3 / A - (sum(diag(P)) - t(milk$direct) %*% P %*% P %*% milk$direct) / 2)
}
top <- optimize(logl, c(1e-6, 1), maximum = TRUE, tol = 1e-10)$maximum
A <- uniroot(slope, top * c(.9, 1.1), tol = 1e-17)$root
adjusted <- rma(milk$direct, psi, mods = X[, -1], tau2 = A)
predicted <- blup(adjusted)
v <- 2 / sum((A + psi)^-2)
result$milk <- list(variance = A, coefficients = unname(coef(adjusted)[, drop = TRUE]), estimate = predicted$pred,
                    std_error = sqrt(predicted$se^2 + pmax(0, 2 * psi^2 / (A + psi)^3 * v - (psi / (A + psi))^2 * .3 * v / A)))
writeLines(toJSON(result, digits = NA, auto_unbox = TRUE, pretty = TRUE), "survey_tests.json")
