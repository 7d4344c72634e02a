/** A client of the Experience Runtime: what a backend asks of integrations. */
import type { components, paths } from './schema.js'

export type { components, paths } from './schema.js'

type Schemas = components['schemas']
type Method = 'get' | 'post' | 'put' | 'delete'

/** The options of a call, in the words of the reference, and whom it is for. */
export interface Options {
  visitor?: string
  timezone?: string
  key?: unknown
  delay?: number | string
  time?: number | string
  [option: string]: unknown
}

/** What was asked was refused, or failed: `code` never changes its meaning. */
export class Refused extends Error {
  constructor(readonly status: number, readonly code: string, message: string) {
    super(message)
    this.name = 'Refused'
  }
}

const TRIES = 4
const LONGEST_WAIT_MS = 10_000

/** A runtime at an address. */
export class Experience {
  readonly #address: string
  readonly #token: string | undefined

  /** `token`: of `experience tokens create NAME --scope operator`. */
  constructor(address: string, { token }: { token?: string } = {}) {
    this.#address = address.replace(/\/+$/, '')
    this.#token = token
  }

  /** Schedule a call. */
  schedule(integration: string, payload: unknown, options: Options = {}): Promise<Schemas['ScheduledExecution']> {
    return this.#ask(integration, 'schedule', { payload, ...asked(options) })
  }

  /** Cancel what is pending under a key. */
  cancel(integration: string, options: Options): Promise<Schemas['CancelledUnderKey']> {
    return this.#ask(integration, 'cancel', asked(options))
  }

  /** Call it now, and answer what it answered. */
  execute(integration: string, payload: unknown, options: Options = {}): Promise<Schemas['ExecutedExecution']> {
    return this.#ask(integration, 'execute', { payload, ...asked(options) })
  }

  /**
   * Any operation of the API: `request('get', '/v1/executions/{execution_id}', { path: { execution_id } })`.
   * A write is sent under one `Idempotency-Key` until there is an answer: it happens once.
   */
  async request<T = unknown>(
    method: Method,
    path: keyof paths,
    { path: places = {}, query = {}, body }: {
      path?: Record<string, string | number>
      query?: Record<string, string | number | boolean | readonly string[]>
      body?: unknown
    } = {},
  ): Promise<T> {
    const place = String(path).replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(places[name])))
    const asked = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) {
      for (const each of Array.isArray(value) ? value : [value]) asked.append(name, String(each))
    }
    const address = `${this.#address}${place}${asked.size ? `?${asked}` : ''}`
    const headers: Record<string, string> = { accept: 'application/json' }
    if (this.#token !== undefined) headers.authorization = `Bearer ${this.#token}`
    if (method !== 'get') headers['idempotency-key'] = crypto.randomUUID()
    if (body !== undefined) headers['content-type'] = 'application/json'
    for (let tries = 1; ; tries++) {
      let answer: Response
      try {
        const sent = body === undefined ? null : JSON.stringify(body)
        answer = await fetch(address, { method: method.toUpperCase(), headers, body: sent })
      } catch (problem) {
        if (tries === TRIES) throw problem
        await pause(250 * 2 ** tries)
        continue
      }
      if ((answer.status === 429 || answer.status === 503) && tries < TRIES) {
        const seconds = Number(answer.headers.get('retry-after') ?? NaN)
        await pause(Number.isFinite(seconds) ? seconds * 1000 : 250 * 2 ** tries)
        continue
      }
      const text = await answer.text()
      if (answer.ok) return JSON.parse(text) as T
      throw refused(answer.status, text)
    }
  }

  #ask<T>(integration: string, verb: 'schedule' | 'cancel' | 'execute', body: unknown): Promise<T> {
    const path = `/v1/integrations/{name}/${verb}` as keyof paths
    return this.request<T>('post', path, { path: { name: integration }, body })
  }
}

function asked({ visitor, timezone, ...options }: Options): Record<string, unknown> {
  return {
    options,
    ...(visitor === undefined ? {} : { visitor }),
    ...(timezone === undefined ? {} : { timezone }),
  }
}

function refused(status: number, text: string): Refused {
  try {
    const problem = JSON.parse(text) as Schemas['Problem']
    return new Refused(status, problem.code, problem.detail)
  } catch {
    return new Refused(status, 'internal_error', text.slice(0, 500))
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.min(ms, LONGEST_WAIT_MS)))
}
