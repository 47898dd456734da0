/** Two rows of the example model iris, of different classes. */
export const IRIS_ROWS = [
  [5.1, 3.5, 1.4, 0.2],
  [6.3, 3.3, 6, 2.5],
];

/** A row of the example model census. */
export const PERSON = {
  age: 39,
  education_num: 13,
  hours_per_week: 40,
  capital_gain: 2174,
  capital_loss: 0,
  workclass: "State-gov",
  marital_status: "Never-married",
  occupation: "Adm-clerical",
  relationship: "Not-in-family",
  sex: "Male",
};
