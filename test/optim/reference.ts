/** Optimizers in float64, one parameter at a time, as their papers and PyTorch state them. */
export interface ReferenceSettings {
  learningRate: number;
  momentum?: number;
  nesterov?: boolean;
  coupled?: number;
  decoupled?: number;
  beta1?: number;
  beta2?: number;
  epsilon?: number;
}

export class ReferenceSgd {
  #velocity: Float64Array;
  constructor(
    readonly parameter: Float64Array,
    readonly settings: ReferenceSettings,
  ) {
    this.#velocity = new Float64Array(parameter.length);
  }

  update(gradient: ArrayLike<number>, learningRate = this.settings.learningRate): void {
    const { momentum = 0, nesterov = false, coupled = 0, decoupled = 0 } = this.settings;
    for (let i = 0; i < this.parameter.length; i++) {
      const p = this.parameter[i] ?? 0;
      const g = (gradient[i] ?? 0) + coupled * p;
      const v = momentum * (this.#velocity[i] ?? 0) + g;
      this.#velocity[i] = v;
      this.parameter[i] = p - learningRate * ((nesterov ? g + momentum * v : v) + decoupled * p);
    }
  }
}

export class ReferenceAdam {
  #first: Float64Array;
  #second: Float64Array;
  #step = 0;
  constructor(
    readonly parameter: Float64Array,
    readonly settings: ReferenceSettings,
  ) {
    this.#first = new Float64Array(parameter.length);
    this.#second = new Float64Array(parameter.length);
  }

  update(gradient: ArrayLike<number>, learningRate = this.settings.learningRate): void {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, coupled = 0, decoupled = 0 } = this.settings;
    this.#step++;
    for (let i = 0; i < this.parameter.length; i++) {
      const p = this.parameter[i] ?? 0;
      const g = (gradient[i] ?? 0) + coupled * p;
      const m = beta1 * (this.#first[i] ?? 0) + (1 - beta1) * g;
      const v = beta2 * (this.#second[i] ?? 0) + (1 - beta2) * g * g;
      this.#first[i] = m;
      this.#second[i] = v;
      const corrected = m / (1 - beta1 ** this.#step) / (Math.sqrt(v / (1 - beta2 ** this.#step)) + epsilon);
      this.parameter[i] = p - learningRate * (corrected + decoupled * p);
    }
  }
}
