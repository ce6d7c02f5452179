import { afterAll } from 'bun:test';
import { denoCommand, denoEnvironment } from '../../scripts/deno.ts';
import { dialContract, keptConnectionContract, lateAnswersContract, proxyContract } from '../contract/dial.ts';
import { remoteDialer } from './remote.ts';

const remote = remoteDialer();
const still = remoteDialer('still');
afterAll(() => Promise.all([remote.stop(), still.stop()]));

dialContract(remote.dial, remote.advance);
keptConnectionContract(still);
proxyContract(denoCommand('test/runtime/dial-child.ts'), denoEnvironment);
lateAnswersContract(denoCommand('test/contract/late-answers-child.ts'), denoEnvironment);
