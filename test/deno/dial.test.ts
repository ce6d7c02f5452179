import { afterAll } from 'bun:test';
import { denoCommand, denoEnvironment } from '../../scripts/deno.ts';
import { dialContract, proxyContract } from '../contract/dial.ts';
import { remoteDialer } from './remote.ts';

const { dial, advance, stop } = remoteDialer();
afterAll(stop);

dialContract(dial, advance);
proxyContract(denoCommand('test/runtime/dial-child.ts'), denoEnvironment);
