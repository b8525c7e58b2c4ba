import { Token } from 'aws-cdk-lib';
import { ISecret } from 'aws-cdk-lib/aws-secretsmanager';

/** What a reference may say beside its secret; README's table tells what it means. */
export interface ReferenceOptions {
  readonly path?: string;
  readonly stage?: string;
  readonly version?: string;
  readonly optional?: boolean;
  readonly default?: string;
  readonly encode?: 'url' | 'base64' | 'json';
  readonly file?: string;
  readonly mode?: string;
}

/** A reference to a secret that is a construct. */
export class Reference {
  constructor(readonly secret: ISecret, readonly options: ReferenceOptions = {}) {}

  get mayBeAbsent(): boolean {
    return this.options.optional === true || this.options.default !== undefined;
  }

  toString(): string {
    const { path, optional, ...valued } = this.options;
    const options = Object.entries(valued)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${encode(value)}`);
    if (optional) options.push('optional');
    const query = options.length > 0 ? `?${options.join('&')}` : '';
    return `secretsmanager://${this.secret.secretArn}${query}${path === undefined ? '' : `#${path}`}`;
  }
}

function encode(value: string): string {
  // Encoded, it would not be replaced at the deployment any more.
  if (Token.isUnresolved(value)) throw new Error('an option of a reference must be known before the deployment');
  return encodeURIComponent(value).replaceAll('%2F', '/');
}

/** Refers to a secret: `ref(secret, { path: 'password' })`. */
export function ref(secret: ISecret, options?: ReferenceOptions): Reference {
  return new Reference(secret, options);
}

/** A text with references in it. */
export class Template {
  constructor(private readonly literals: readonly string[], readonly references: readonly Reference[]) {}

  toString(): string {
    return this.literals.reduce((text, literal, i) => `${text}{{${this.references[i - 1]}}}${literal}`);
  }
}

/** Makes a text with references in it: `` template`postgres://app:${ref(secret, …)}@db` ``. */
export function template(literals: TemplateStringsArray, ...references: Reference[]): Template {
  return new Template(literals, references);
}

/** The secret of a reference that is written as text. */
export interface NamedSecret {
  /** Its name, or its ARN with or without the six characters that AWS appends. */
  readonly id: string;
  readonly mayBeAbsent: boolean;
}

const name = '[A-Za-z0-9/_+=.@!-]+';
const arn = `arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:${name}`;
// Longer schemes, such as awssecretsmanager://, belong to others.
const scheme = '(?<![A-Za-z0-9_+.-])secretsmanager:/';
// The groups are an ARN, which ECS's fields may follow, or a name; and the options.
const reference = `${scheme}/(?:(?<arn>${arn})(?::[^?#}\\s]*)?|(?<name>${name}))(?:\\?(?<options>[^#}]*))?(?=[#}\\s]|$)`;

/**
 * Returns the secrets to which a text refers. Only so much of a reference is read as a
 * policy needs; `secretwrap check` judges the rest. Throws where that cannot be read.
 */
export function secretsIn(text: string): NamedSecret[] {
  const found = [...text.matchAll(new RegExp(reference, 'g'))];
  const meant = [...text.matchAll(new RegExp(scheme, 'gi'))];
  if (found.length === meant.length) {
    return found.map(({ groups = {} }) => ({
      id: groups.arn ?? groups.name ?? '',
      mayBeAbsent: /(^|&)(optional(&|$)|default=)/.test(groups.options ?? ''),
    }));
  }
  if (Token.isUnresolved(text)) {
    throw new Error('the secret is not known before the deployment: refer to it by ref(secret, …)');
  }
  throw new Error('no secret can be read: write secretsmanager://NAME#PATH; secretwrap check tells what is wrong');
}
