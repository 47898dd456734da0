// Adds up Vitest's JSON reports: `node scripts/sum-reports.mjs PASSED FAILED FILE…` prints each failed and skipped test,
// then `N passed, N failed, N skipped`. Exits 1 where anything failed, or was skipped for another reason than a GPU.
import { readFileSync } from "node:fs";

let passed = Number(process.argv[2]);
let failed = Number(process.argv[3]);
let skipped = 0;
let unexcused = 0;
for (const file of process.argv.slice(4)) {
  const report = JSON.parse(readFileSync(file, "utf8"));
  if (!report.success && report.numFailedTests === 0 && report.numFailedTestSuites === 0) {
    failed++;
    console.log(`FAILED ${file}: an error outside any test; see above`);
  }
  for (const suite of report.testResults) {
    if (suite.status === "failed" && suite.assertionResults.length === 0) {
      failed++;
      console.log(`FAILED ${suite.name}: ${suite.message}`);
    }
    for (const test of suite.assertionResults) {
      if (test.status === "passed") passed++;
      else if (test.status === "failed") {
        failed++;
        console.log(`FAILED ${test.fullName}`);
      } else {
        skipped++;
        if (!/\bGPU\b/.test(test.fullName)) unexcused++;
        console.log(`SKIPPED ${test.fullName}`);
      }
    }
  }
}
if (unexcused > 0)
  console.log(`${unexcused} tests were skipped for another reason than a missing GPU: that fails the run`);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 || unexcused > 0 || passed === 0 ? 1 : 0;
