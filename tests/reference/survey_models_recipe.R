# Reference numbers of survey_models.csv: R 4.2.2 with survey 4.1-1, ordinal 2022.11-16, polycor 0.8-1, mvtnorm and
# numDeriv (Debian 12: r-base-core, r-cran-survey, r-cran-ordinal, r-cran-polycor, r-cran-numderiv, r-cran-jsonlite),
# November 2026. Run in this folder: Rscript survey_models_recipe.R; it writes survey_models.json. survey_models.csv is
# made up: 4 strata, blocks with labels that are used again in every stratum, items with four points, gaps.
#
# svyglm stops early unless epsilon = 1e-15. svyolr has a numeric Hessian; the analytic one is that of clm in package
# ordinal, and the sandwich is put together here. Everything that no package has is computed here from the definition
# by numeric derivatives (numDeriv) of first order.
suppressMessages({library(survey); library(ordinal); library(mvtnorm)
  library(numDeriv); library(jsonlite)})
options(digits = 22)
d <- read.csv("survey_models.csv", colClasses = c(district = "character"))
d$unsafe <- as.numeric(d$night >= 3)
d$night_f <- factor(d$night)
designs <- list(
  clusters = svydesign(~block, strata = ~stratum, weights = ~weight, nest = TRUE, data = d),
  one_stage = svydesign(~block, strata = ~stratum, weights = ~weight, fpc = ~blocks, nest = TRUE, data = d)
)
result <- list()
rows <- function(coef, vcov, ...) list(estimate = as.numeric(coef), covariance = as.matrix(vcov), ...)
glm <- function(formula, design, family = gaussian()) {
  fit <- svyglm(formula, design, family = family, control = list(epsilon = 1e-15, maxit = 100))
  rows(coef(fit), unname(vcov(fit)), df = fit$df.residual)
}
variance <- function(person, design) # of the sum of influences of all rows of the data (n x k)
  unname(svyrecvar(person, design$cluster, design$strata, design$fpc))
full <- function(values, kept) { # rows of the people in the model to rows of the data
  out <- matrix(0, nrow(d), ncol(as.matrix(values))); out[kept, ] <- as.matrix(values); out
}

for (name in names(designs)) {
  design <- designs[[name]]
  result[[name]] <- list(
    linear = glm(worry ~ age + female + district, design),
    logit = glm(unsafe ~ age + female + district, design, quasibinomial()),
    logit_interaction = glm(unsafe ~ age * female + female:district + district, design, quasibinomial()),
    poisson = glm(times ~ age + district, design, quasipoisson()),
    logit_women = glm(unsafe ~ age + district, subset(design, female == 1), quasibinomial())
  )
  # Ordinal models with analytic Hessian: clm's, then the design's sandwich of per-person scores.
  for (link in c("logit", "probit")) {
    formula <- night_f ~ age + female + district
    fit <- clm(formula, data = d, weights = weight, link = link,
               control = clm.control(gradTol = 1e-10, maxIter = 200, maxLineIter = 50))
    kept <- which(complete.cases(d[, c("night", "age")]))
    x <- model.matrix(~ age + female + district, d[kept, ])[, -1]
    y <- d$night[kept]; w <- d$weight[kept]
    F <- if (link == "logit") plogis else pnorm
    f <- if (link == "logit") dlogis else dnorm
    cuts <- c(-Inf, fit$alpha, Inf); eta <- drop(x %*% fit$beta); q <- length(fit$alpha)
    u <- cuts[y + 1] - eta; l <- cuts[y] - eta; p <- F(u) - F(l)
    scores <- cbind(sapply(1:q, function(j) ((y == j) * f(u) - (y == j + 1) * f(l)) / p), -x * (f(u) - f(l)) / p) * w
    person <- full(scores %*% solve(fit$Hessian), kept)
    order <- c(q + seq_len(ncol(x)), 1:q)
    result[[name]][[paste0("ordinal_", link)]] <-
      rows(c(fit$beta, fit$alpha), variance(person, design)[order, order], df = degf(design) - ncol(x))
    olr <- svyolr(formula, design, method = if (link == "logit") "logistic" else "probit",
                  control = list(reltol = 1e-15, maxit = 1000))
    result[[name]][[paste0("svyolr_", link)]] <- rows(coef(olr), unname(vcov(olr)))

    # Score test of equal slopes: scores of the model with own slopes at every threshold, their derivatives numeric.
    k <- ncol(x)
    wider <- function(parameters) { # thresholds, common slopes, differences of the slopes at thresholds 2, 3, ...
      own <- parameters[q + 1:k] + cbind(0, matrix(parameters[-(1:(q + k))], k))
      z <- sapply(1:q, function(j) parameters[j] - x %*% own[, j])
      u <- cbind(z, Inf)[cbind(seq_along(y), y)]; l <- cbind(-Inf, z)[cbind(seq_along(y), y)]
      by_z <- sapply(1:q, function(j) w * ((y == j) * f(u) - (y == j + 1) * f(l)) / (F(u) - F(l)))
      cbind(by_z, -x * rowSums(by_z), do.call(cbind, lapply(2:q, function(j) -x * by_z[, j])))
    }
    at <- c(fit$alpha, fit$beta, rep(0, k * (q - 1)))
    jac <- wider(at)
    hess <- -jacobian(function(b) colSums(wider(b)), at)
    nuisance <- 1:(q + k); tested <- -nuisance
    project <- hess[tested, nuisance] %*% solve(hess[nuisance, nuisance])
    efficient <- jac[, tested] - jac[, nuisance] %*% t(project)
    total <- colSums(efficient)
    wald <- drop(total %*% solve(variance(full(efficient, kept), design)) %*% total)
    df <- degf(design) - k; r <- length(total)
    step <- solve(hess[tested, tested] - project %*% hess[nuisance, tested], total)
    result[[name]][[paste0("proportional_", link)]] <-
      list(statistic = wald * (df - r + 1) / (r * df), df_numerator = r, df_denominator = df - r + 1,
           p = pf(wald * (df - r + 1) / (r * df), r, df - r + 1, lower.tail = FALSE), step = as.numeric(step))

    # Adjusted shares of answers 3 and 4 by district, and the average effects of age: mean and influence of persons.
    theta <- c(fit$beta, fit$alpha); bread <- person[kept, order]
    share <- function(theta, x) 1 - F(theta[k + 2] - drop(x %*% theta[1:k]))
    margin <- function(predict) { # of a function of the parameters that gives a number for every person
      m <- predict(theta); mean <- sum(w * m) / sum(w)
      slope <- grad(function(b) sum(w * predict(b)) / sum(w), theta)
      list(mean = mean, person = full(w * (m - mean) / sum(w) + bread %*% slope, kept))
    }
    as_if <- function(district) { g <- d[kept, ]; g$district <- factor(district, sort(unique(d$district)))
      model.matrix(~ age + female + district, g)[, -1] }
    parts <- lapply(sort(unique(d$district)), function(g) margin(function(b) share(b, as_if(g))))
    parts$age <- margin(function(b) f(b[k + 2] - drop(x %*% b[1:k])) * b[1])
    result[[name]][[paste0("margins_", link)]] <-
      rows(sapply(parts, `[[`, "mean"), variance(sapply(parts, `[[`, "person"), design))
  }
  # Predictive margins of R itself, for a logit model: it adds the two parts of the variance.
  fit <- svyglm(unsafe ~ age + female, subset(design, !is.na(unsafe) & !is.na(age)), family = quasibinomial(),
                control = list(epsilon = 1e-15, maxit = 100))
  margins <- svypredmeans(fit, ~factor(district))
  parts <- attr(attr(margins, "var"), "parts")
  sorted <- order(names(coef(margins)))
  result[[name]]$predmeans <-
    list(estimate = as.numeric(coef(margins))[sorted], coefficients = parts[[1]][sorted, sorted],
         people = unname(parts[[2]])[sorted, sorted])

  # Reliability: Cronbach's alpha from the covariance matrix of the items, its variance by the delta method.
  items <- c("day", "night", "park"); kept <- which(complete.cases(d[, items]))
  complete <- subset(design, !is.na(night))
  v <- svyvar(~ day + night + park, complete)
  alpha <- function(s) { s <- matrix(s, 3); 3 / 2 * (1 - sum(diag(s)) / sum(s)) }
  slope <- grad(alpha, as.numeric(v))
  result[[name]]$cronbach <- list(estimate = as.numeric(svycralpha(~ day + night + park, complete)),
                                  variance = drop(slope %*% attr(v, "var") %*% slope))
  # Polychoric correlations in two steps: estimating functions of the thresholds and of the correlation, stacked.
  w <- d$weight[kept]
  below <- function(a, b, rho)
    if (a == -Inf || b == -Inf) 0 else if (a == Inf) pnorm(b) else if (b == Inf) pnorm(a) else pmvnorm(
      lower = c(-Inf, -Inf), upper = c(a, b), corr = matrix(c(1, rho, rho, 1), 2), algorithm = TVPACK(1e-15))[1]
  slope_of <- function(parameters) { # of the log-probabilities of a 4 x 4 table by the correlation: Plackett's identity
    a <- c(-Inf, parameters[1:3], Inf); b <- c(-Inf, parameters[4:6], Inf); rho <- parameters[7]
    cells <- function(f) as.vector(t(diff(t(diff(outer(1:5, 1:5, Vectorize(function(i, j) f(a[i], b[j]))))))))
    density <- function(a, b)
      if (any(is.infinite(c(a, b)))) 0 else dmvnorm(c(a, b), sigma = matrix(c(1, rho, rho, 1), 2))
    cells(density) / pmax(cells(function(a, b) below(a, b, rho)), 1e-300)
  }
  row_of <- rep(1:4, 4); column_of <- rep(1:4, each = 4) # of the cells of a table as a vector
  estimating <- function(parameters) cbind( # 16 cells x 7
    outer(row_of, 1:3, `<=`) - rep(pnorm(parameters[1:3]), each = 16),
    outer(column_of, 1:3, `<=`) - rep(pnorm(parameters[4:6]), each = 16), slope_of(parameters))
  pairs <- combn(items, 2)
  found <- apply(pairs, 2, function(pair) {
    one <- d[kept, pair[1]]; two <- d[kept, pair[2]]
    tab <- matrix(xtabs(w ~ factor(one, 1:4) + factor(two, 1:4)), 4); share <- as.vector(tab) / sum(tab)
    cuts <- c(qnorm(cumsum(rowSums(tab))[1:3] / sum(tab)), qnorm(cumsum(colSums(tab))[1:3] / sum(tab)))
    rho <- uniroot(function(rho) sum(share * slope_of(c(cuts, rho))), c(-.9, .9), tol = 1e-13)$root
    bread <- jacobian(function(parameters) colSums(share * estimating(parameters)), c(cuts, rho))
    influence <- (-estimating(c(cuts, rho)) %*% t(solve(bread)))[, 7]
    list(rho = rho, polycor = polycor::polychor(tab), person = w / sum(w) * influence[one + 4 * (two - 1)])
  })
  rho <- sapply(found, `[[`, "rho"); person <- sapply(found, `[[`, "person")
  ordinal <- function(rho) 3 / 2 * (1 - 3 / (3 + 2 * sum(rho)))
  slope <- grad(ordinal, rho)
  result[[name]]$polychoric <- rows(rho, variance(full(person, kept), design), polycor = sapply(found, `[[`, "polycor"))
  result[[name]]$ordinal_alpha <-
    list(estimate = ordinal(rho), variance = drop(variance(full(person %*% slope, kept), design)))
}
write(toJSON(result, digits = I(17), auto_unbox = TRUE, pretty = TRUE), "survey_models.json")
