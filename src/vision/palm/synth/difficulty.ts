/** Increases with every change of the pictures. */
export const drawingVersion = 3;

/**
 * Everything that makes the exercise easy or hard. The aim: networks that look at shapes reach 94–96 %, and
 * the mean colour of a picture is of little use.
 */
export const difficulty = {
  /**
   * Share of the pathologic eyes with only the slightest signs, which even experts could not classify for
   * certain.
   */
  mildPathologic: 0.02,
  /** Share of the highly myopic eyes with signs as strong as in a mild disease. */
  strongHighMyopia: 0.1,
  /** Share of the eyes without the disease that have drusen, which are specks as pale as atrophy. */
  drusen: 0.06,
  /**
   * How much exposure equalizes the brightness of all pictures (1: the signs do not change the mean
   * brightness).
   */
  exposureCompensation: 0.5,
  /** The same for the ratios of the mean colours. */
  colourCompensation: 0.6,
  /**
   * Standard deviations of brightness and of the colour ratios that do not depend on the disease
   * (logarithms).
   */
  exposureSpread: 0.14,
  colourSpread: 0.05,
} as const;
