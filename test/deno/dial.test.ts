import { afterAll } from 'bun:test';
import { denoCommand, denoEnvironment } from '../../scripts/deno.ts';
import { dialContract, proxyContract } from '../contract/dial.ts';
import { remoteDialer } from './remote.ts';

const { dial, stop } = remoteDialer();
afterAll(stop);

dialContract(dial);
proxyContract(denoCommand('test/runtime/dial-child.ts'), denoEnvironment);
