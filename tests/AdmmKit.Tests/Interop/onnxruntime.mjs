// Runs ONNX models: node onnxruntime.mjs FOLDER_WITH_NODE_MODULES JOB.json
// A job is a list of { model, input, shape, output }: files of float32 numbers, little-endian, and the input's shape.
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, job] = process.argv.slice(2);
const ort = createRequire(join(folder, 'package.json'))('onnxruntime-node');
for (const { model, input, shape, output } of JSON.parse(readFileSync(job, 'utf8'))) {
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const bytes = readFileSync(input);
  const numbers = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const results = await session.run({ [session.inputNames[0]]: new ort.Tensor('float32', numbers, shape) });
  const result = results[session.outputNames[0]];
  writeFileSync(output, new Uint8Array(result.data.buffer, result.data.byteOffset, result.data.byteLength));
  await session.release();
}
