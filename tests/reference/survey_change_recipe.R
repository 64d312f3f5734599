# Reference numbers of survey_change.csv: R 4.2.2 with survey 4.1-1, metafor 3.8-1, ordinal 2022.11-16 and jsonlite
# (Debian 12: r-base-core, r-cran-survey, r-cran-metafor, r-cran-ordinal, r-cran-jsonlite), November 2026. Run in this
# folder: Rscript survey_change_recipe.R; it makes up survey_change.csv and writes survey_change.json.
#
# What no package has (mode and composition taken off, bounds) is computed here from its definition: the influence of a
# person is the weight times the derivative of the estimate by it, by complex steps (exact to rounding), and the variance
# is svyrecvar of these.
suppressMessages({library(survey); library(metafor); library(ordinal); library(jsonlite)})
options(digits = 22)
set.seed(4)
areas <- sprintf("%02d", 0:11)
d <- expand.grid(person = 1:3, block = 1:4, area = areas, wave = c("2018", "2021", "2024"), stringsAsFactors = FALSE)
n <- nrow(d)
d$stratum <- substr(d$area, 1, 1)
d$block <- paste(d$area, d$block, sep = ".")
d$weight <- round(rgamma(n, 4, 1), 3) + 0.5
d$age <- sample(c("young", "old"), n, TRUE, c(0.6, 0.4))
d$mode <- ifelse(d$wave == "2018", "paper", ifelse(d$wave == "2021", sample(c("paper", "online"), n, TRUE), "online"))
d$measure <- as.numeric(d$area %in% areas[1:4])
eta <- 0.4 * (d$age == "old") + 0.3 * (d$mode == "online") - 0.6 * d$measure * (d$wave == "2024") +
  rnorm(12, 0, 0.4)[match(d$area, areas)]
item <- function(shift = 0) 1 + rowSums(rlogis(n) + eta + shift > matrix(c(-1, 0.4, 1.8), n, 3, byrow = TRUE))
d$night <- item(); d$park <- item(0.3); d$worry <- item(-0.4); d$avoid <- item(0.5 * (d$mode == "online"))
d$night[sample(n, 9)] <- NA
write.csv(d, "survey_change.csv", row.names = FALSE, na = "")
d$unsafe <- as.numeric(d$night >= 3)
d$late <- as.numeric(d$wave == "2024")

designs <- list(
  independent = svydesign(~block, strata = ~interaction(stratum, wave), weights = ~weight, nest = TRUE, data = d),
  overlap = svydesign(~block, strata = ~stratum, weights = ~weight, nest = TRUE, data = d)
)
result <- list()

# --- difference-in-differences of all people: the interaction of a linear model, and of the ordinal one ---
for (name in names(designs)) {
  two <- subset(designs[[name]], wave %in% c("2018", "2024"))
  fit <- svyglm(unsafe ~ measure * late, two)
  result[[name]] <- list(estimate = unname(coef(fit)["measure:late"]), std_error = unname(SE(fit)["measure:late"]))
}

# --- area-level model: tau2 of the areas without the measure (Paule-Mandel), then weights and Knapp-Hartung ---
d_i <- round(rnorm(20, 0, 0.12), 4); v_i <- round(runif(20, 0.004, 0.012), 5); treated <- c(rep(1, 5), rep(0, 15))
fit <- function(change, variance) {
  tau2 <- rma(change[treated == 0], variance[treated == 0], method = "PM", control = list(tol = 1e-14))$tau2
  both <- rma(change, variance, mods = ~treated, tau2 = tau2, test = "knha")
  list(change = change, variance = variance, tau2 = tau2, estimate = both$beta[2], std_error = both$se[2],
       conf_low = both$ci.lb[2], conf_high = both$ci.ub[2])
}
result$area_level <- list(treated = treated, shocks = fit(d_i, v_i), none = fit(d_i / 4, v_i))

# --- from definitions, by complex steps ---
share <- function(w, rows, y = d$unsafe) { k <- rows & !is.na(y); sum(w[k] * y[k]) / sum(w[k]) }
answered <- !is.na(d$unsafe)
linear <- function(theta, design) {
  h <- 1e-20
  influence <- sapply(seq_len(n), function(i) {
    w <- as.complex(d$weight); w[i] <- w[i] + 1i * h; Im(theta(w)) / h * d$weight[i]
  })
  list(estimate = Re(theta(as.complex(d$weight))),
       std_error = sqrt(c(svyrecvar(matrix(influence), design$cluster, design$strata, design$fpc))))
}
first <- d$wave == "2018"; last <- d$wave == "2024"; middle <- d$wave == "2021"; online <- as.numeric(d$mode == "online")
mode <- function(w) {
  effect <- share(w, middle & online == 1) - share(w, middle & online == 0)
  moved <- share(w, last & answered, online) - share(w, first & answered, online)
  share(w, last) - share(w, first) - moved * effect
}
result$mode <- linear(mode, designs$overlap)
composition <- function(w) {
  old <- as.numeric(d$age == "old"); p <- share(w, first & answered, old)
  step <- function(age) share(w, last & d$age == age) - share(w, first & d$age == age)
  p * step("old") + (1 - p) * step("young")
}
result$composition <- linear(composition, designs$overlap)
rates <- c(0.4, 0.3)
same <- function(side) function(w) {
  p <- c(share(w, first), share(w, last)); r <- rates * Re(c(sum((w * answered)[first]) / sum(w[first]),
    sum((w * answered)[last]) / sum(w[last])))
  kept <- r[2] / r[1]
  trimmed <- if (side == "low") p[1] / kept else (p[1] - (1 - kept)) / kept
  p[2] - trimmed
}
result$same_low <- linear(same("low"), designs$overlap)
result$same_high <- linear(same("high"), designs$overlap)

# --- an item against the rest of its scale: coefficients of weighted cumulative models ---
items <- c("night", "park", "worry", "avoid")
k <- answered
rest <- rowMeans(sapply(setdiff(items, "avoid"), function(name) (d[[name]] - 1) / 3))
# drawn towards the mean of its mode by Cronbach's alpha of the other items within modes (Kelley)
others <- sapply(setdiff(items, "avoid"), function(name) (d[[name]] - 1) / 3)[k, ]
total <- ave(d$weight[k], online[k], FUN = sum)
mode_mean <- function(x) ave(d$weight[k] * x, online[k], FUN = sum) / total
apart <- apply(others, 2, function(x) x - mode_mean(x))
alpha <- 3 / 2 * (1 - sum(d$weight[k] * apart^2) / sum(d$weight[k] * rowSums(apart)^2))
rest[k] <- mode_mean(rest[k]) + max(alpha, 0.3) * (rest[k] - mode_mean(rest[k]))
rest <- (rest - mean(rest[k])) / sqrt(mean((rest[k] - mean(rest[k]))^2))
used <- data.frame(y = factor(d$avoid), rest = rest, online = online, w = d$weight)[k, ]
control <- clm.control(gradTol = 1e-13, relTol = 1e-15, maxIter = 200)
result$uniform <- unname(coef(clm(y ~ rest + online, data = used, weights = w / mean(w), control = control))["online"])
wider <- clm(y ~ rest * online, data = used, weights = w / mean(w), control = control)
result$non_uniform <- unname(coef(wider)["rest:online"])

writeLines(toJSON(result, auto_unbox = TRUE, digits = I(17), pretty = TRUE), "survey_change.json")
