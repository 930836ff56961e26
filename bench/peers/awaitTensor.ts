import type { TensorFlow, TfTensor } from './tfjs.js';

/** Waits for a tensor by reading one element of it: a queue runs in order. */
export async function awaitTensor(tf: TensorFlow, x: TfTensor): Promise<void> {
  if (x.shape.length === 0) {
    // It slices no scalar.
    await x.data();
    return;
  }
  const corner = tf.slice(
    x,
    x.shape.map(() => 0),
    x.shape.map(() => 1),
  );
  await corner.data();
  corner.dispose();
}
