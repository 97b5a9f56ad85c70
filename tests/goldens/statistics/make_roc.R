# Writes roc.json beside this script: areas under ROC curves of pROC, and those of groups from survival's concordance.
#
# Rscript make_roc.R     in this folder; needs pROC, survival and jsonlite (Debian: r-cran-proc, r-cran-survival, r-cran-jsonlite)

suppressMessages({
  library(pROC)
  library(survival)
  library(jsonlite)
})

digits12 <- function(x) signif(as.numeric(x), 12)

# pROC: areas, DeLong's variances and intervals, and the paired test.
paired <- function(name, labels, a, b) {
  first <- roc(labels, a, direction = "<", levels = c(0, 1), quiet = TRUE)
  second <- roc(labels, b, direction = "<", levels = c(0, 1), quiet = TRUE)
  test <- roc.test(first, second, method = "delong", paired = TRUE)
  list(
    name = name, labels = labels, a = a, b = b,
    areas = digits12(c(auc(first), auc(second))),
    standardErrors = digits12(sqrt(c(var(first, method = "delong"), var(second, method = "delong")))),
    covariance = digits12(cov(first, second, method = "delong")),
    z = digits12(test$statistic), pValue = digits12(test$p.value), interval = digits12(test$conf.int)
  )
}

# Obuchowski (1997), equations of section 3: the influences of samples on the area are survival's.
clustered <- function(influence, labels, groups) {
  own <- sapply(c(0, 1), function(label) {
    sums <- tapply(influence[labels == label], groups[labels == label], sum)
    sum(sums^2) * length(sums) / (length(sums) - 1)
  })
  sums <- function(label) {
    part <- ifelse(labels == label, influence, 0)
    tapply(part, groups, sum)
  }
  all <- length(unique(groups))
  sum(own) + 2 * all / (all - 1) * sum(sums(0) * sums(1))
}

grouped <- function(name, labels, a, b, groups) {
  fits <- lapply(list(a, b), function(x) concordance(labels ~ x, influence = 1))
  influences <- lapply(fits, function(fit) fit$dfbeta)
  areas <- sapply(fits, function(fit) fit$concordance)
  list(
    name = name, labels = labels, a = a, b = b, groups = groups,
    areas = digits12(areas),
    standardErrors = digits12(sqrt(sapply(influences, clustered, labels, groups))),
    difference = digits12(sqrt(clustered(influences[[1]] - influences[[2]], labels, groups)))
  )
}

# Predictive values at a prevalence: their logits and the derivatives of these, which R takes itself.
predictive <- function(hits, positives, rejected, negatives, prevalence) {
  se <- hits / positives
  sp <- rejected / negatives
  p <- prevalence
  logits <- list(
    ppv = expression(log(se * p / ((1 - sp) * (1 - p)))),
    npv = expression(log(sp * (1 - p) / ((1 - se) * p)))
  )
  found <- lapply(logits, function(logit) {
    value <- eval(logit)
    error <- sqrt(
      eval(D(logit[[1]], "se"))^2 * se * (1 - se) / positives + eval(D(logit[[1]], "sp"))^2 * sp * (1 - sp) / negatives
    )
    list(value = digits12(plogis(value)), interval = digits12(plogis(value + c(-1, 1) * qnorm(0.975) * error)))
  })
  c(list(counts = c(hits, positives, rejected, negatives), prevalence = prevalence), found)
}

set.seed(20260109)
made <- function(people, largest, digits, mixed) {
  sizes <- sample(largest, people, replace = TRUE)
  groups <- rep(seq_len(people), sizes)
  person <- rbinom(people, 1, 0.4)
  labels <- if (mixed) rbinom(length(groups), 1, ifelse(person[groups] == 1, 0.8, 0.2)) else person[groups]
  common <- rnorm(people)[groups]
  score <- function(skill) {
    round(plogis(skill * (labels - 0.5) + 0.7 * common + rnorm(length(groups))), digits)
  }
  list(labels = labels, a = score(1.8), b = score(1.3), groups = groups)
}

alone <- list(continuous = made(150, 1, 6, FALSE), ties = made(90, 1, 1, FALSE), `few positives` = {
  few <- made(200, 1, 3, FALSE)
  keep <- few$labels == 0 | cumsum(few$labels) <= 5
  lapply(few, function(x) x[keep])
})
together <- list(
  `one class of each group` = made(60, 4, 4, FALSE),
  `both classes in groups` = made(50, 4, 4, TRUE),
  ties = made(40, 3, 1, TRUE),
  `a group of its own each` = made(70, 1, 4, FALSE)
)
golden <- list(
  pairs = lapply(names(alone), function(name) with(alone[[name]], paired(name, labels, a, b))),
  groups = lapply(names(together), function(name) with(together[[name]], grouped(name, labels, a, b, groups))),
  predictive = list(
    predictive(90, 100, 160, 200, 0.1), predictive(70, 80, 300, 500, 0.02), predictive(12, 20, 45, 50, 0.5)
  )
)
libraries <- list(
  R = paste(R.version$major, R.version$minor, sep = "."), pROC = as.character(packageVersion("pROC")),
  survival = as.character(packageVersion("survival"))
)
text <- toJSON(list(libraries = libraries, golden = golden), auto_unbox = TRUE, digits = NA)
writeLines(gsub(',"', ',\n"', text, fixed = TRUE), "roc.json")
