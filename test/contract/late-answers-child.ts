/** Prints the counts for each number of callers that is given, as JSON. */
import process from 'node:process';
import { countLateAnswers, type LateAnswers } from './late-answers.ts';

const counts: LateAnswers[] = [];
for (const callers of process.argv.slice(2)) counts.push(await countLateAnswers(Number(callers)));
process.stdout.write(JSON.stringify(counts));
process.exit(0);
