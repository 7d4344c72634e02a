// Types of what an experience finds around it. Written by `experience types`; a new release may write others.

/** A duration: milliseconds, or a text such as '2 hours', '90 min' or '1h 30m'. At most 30 days. */
type ExperienceDuration = number | (string & {})

/** An instant: Unix milliseconds, or an ISO 8601 text such as '2026-03-06T15:30:00Z'. */
type ExperienceInstant = number | (string & {})

type ExperienceDay = 'sunday' | 'monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday'

interface ExperienceWindow {
  /** One day, a range, or a list: 'monday-friday', 'saturday', 'monday,thursday'. */
  day?: ExperienceDay | 'monday-friday' | (string & {})
  /** 'HH:MM-HH:MM', both ends inside. */
  time?: '09:00-17:00' | (string & {})
  /** Minutes behind UTC, as getTimezoneOffset gives them: -60 is UTC+1. */
  timezoneOffset?: number
  /** An IANA zone, such as 'Europe/Paris'. */
  timezone?: string
}

type ExperienceKey = string | object

interface ExperienceScheduleOptions {
  key?: ExperienceKey
  delay?: ExperienceDuration
  time?: ExperienceInstant
  window?: ExperienceWindow
  cancelOnConversion?: boolean
  ifExists?: 'replace' | 'keep' | 'reject'
  scope?: 'visitor' | 'property'
}

interface ExperienceCancelOptions {
  key?: ExperienceKey
  reason?: string
  scope?: 'visitor' | 'property'
}

interface ExperienceExecuteOptions {
  key?: ExperienceKey
  /** Milliseconds to wait for the answer; 5000 when it is left out. */
  timeout?: number
}

interface ExperienceScheduled {
  id: string
  key: any
  /** When it will run, in UTC. */
  time: string
  requestedTime: string
  replaced: string | null
}

interface ExperienceIntegration<Payload> {
  (payload: Payload, options?: ExperienceExecuteOptions): Promise<any>
  execute(payload: Payload, options?: ExperienceExecuteOptions): Promise<any>
  schedule(payload: Payload, options?: ExperienceScheduleOptions): Promise<ExperienceScheduled>
  cancel(options?: ExperienceCancelOptions): Promise<{ cancelled: number, ids: string[] }>
}

interface ExperienceLogger {
  (name: string): ExperienceLogger
  trace(...values: any[]): void
  debug(...values: any[]): void
  info(...values: any[]): void
  warn(...values: any[]): void
  error(...values: any[]): void
}

interface ExperienceMeta {
  cookieDomain?: string
  trackingId?: string
  experienceId?: any
  experimentId?: any
  iterationId?: any
  variationId?: any
  variationMasterId?: any
  variationIsControl?: boolean
  isPreview?: boolean
  vertical?: string
  namespace?: string
  visitorId: string | null
}

/** A promise that runs its handlers at once when it is settled. */
interface ExperienceSyncPromise<T> extends PromiseLike<T> {
  value: T
  then<A = T, B = never>(
    fulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    rejected?: ((reason: any) => B | PromiseLike<B>) | null
  ): ExperienceSyncPromise<A | B>
  catch<B = never>(rejected?: ((reason: any) => B | PromiseLike<B>) | null): ExperienceSyncPromise<T | B>
}

interface ExperienceListening {
  /** Call the listener with past events too. */
  replay(): any
  dispose(): any
}

interface ExperienceEvents {
  emit(type: string, data?: any): any
  on(type: string | RegExp, listener: (event: any) => any): ExperienceListening
  once(type: string | RegExp, listener: (event: any) => any): ExperienceListening
  onEventSent(type: string | RegExp, listener: (events: any[]) => any): ExperienceListening
  onceEventSent(type: string | RegExp, listener: (events: any[]) => any): ExperienceListening
  events: any[]
}

interface ExperienceCookies {
  get(name: string): any
  getAll(): any
  set(name: string, value: any, options?: any): any
  clear(name: string, options?: any): any
  clearAll(): any
}

interface ExperiencePolling extends PromiseLike<any> {
  start(): any
  stop(): any
  catch(rejected: (reason: any) => any): any
}

interface ExperienceOptions {
  integration<Name extends keyof ExperienceIntegrations>(
    id: Name, defaults?: ExperienceScheduleOptions & { reason?: string, timeout?: number }
  ): ExperienceIntegration<ExperienceIntegrations[Name]>
  log: ExperienceLogger
  state: { get(name: string): any, set(name: string, value: any): void }
  meta: ExperienceMeta
  data: any
  solution: any
  getVisitorState(): ExperienceSyncPromise<any>
  getBrowserState(): ExperienceSyncPromise<any>
  uv: ExperienceEvents
  emitCustomGoal(name: string): void
  emitMetric(type: string, productId?: any, metadata?: any): void
  cookies: ExperienceCookies
  poll(targets: any, options?: { timeout?: number, [name: string]: any }): ExperiencePolling
  onRemove(fn: () => any): void
  onActivation(fn: () => any): void
  redirectTo(url: string): void
  registerContentAreas(...areas: any[]): void
  unregisterContentAreas(...areas: any[]): void
  isMemberOf(segment: string): ExperienceSyncPromise<boolean>
  getMemberships(): ExperienceSyncPromise<any[]>
  onMembershipsChanged(listener: (memberships: any[]) => any): { dispose(): any }
  react: any
}

/** What triggers call: nothing or true lets the variation run. */
type ExperienceCallback = (execute?: boolean | null | '') => void

/** What triggers may return instead of calling back. */
interface ExperienceHooks {
  remove?: () => any
  onActivation?: () => any
  runAcrossViews?: boolean
  execute?: boolean
}

interface ExperienceEventAnswer {
  success: boolean
  result?: any
  error?: any
}

interface ExperienceSchedulerParameters {
  action?: 'webhook' | 'broadcast' | 'cancel'
  schedule_time?: ExperienceInstant
  delay?: ExperienceDuration
  schedule_id?: string
  url?: string
  body?: any
  flow_id?: string
  step_id?: string
  metadata?: any
}

declare function App(name: 'utils/scheduler', parameters?: ExperienceSchedulerParameters): Promise<ExperienceEventAnswer>

declare const console: ExperienceLogger & { log(...values: any[]): void, [name: string]: any }
declare const window: any
declare const self: any
declare const performance: { now(): number, timeOrigin: number }
declare const crypto: any
declare const TextEncoder: any
declare const TextDecoder: any
declare function setTimeout(fn: (...args: any[]) => any, delay?: number, ...args: any[]): number
declare function setInterval(fn: (...args: any[]) => any, delay?: number, ...args: any[]): number
declare function clearTimeout(id?: number): void
declare function clearInterval(id?: number): void
declare function queueMicrotask(fn: () => any): void

// What Intl has here of a newer standard's; `experience check` also knows the locales and the values of options.
declare namespace Intl {
  interface ListFormatOptions {
    type?: 'conjunction' | 'disjunction' | 'unit'
    style?: 'long' | 'short' | 'narrow'
  }
  interface ListFormat {
    format(list: Iterable<string>): string
    formatToParts(list: Iterable<string>): Array<{ type: 'element' | 'literal', value: string }>
    resolvedOptions(): { locale: string, type: string, style: string }
  }
  const ListFormat: {
    new (locales?: string | string[], options?: ListFormatOptions): ListFormat
    supportedLocalesOf(locales?: string | string[]): string[]
  }
}

declare module '@qubit/poller' { const anything: any; export = anything }
declare module '@qubit/remember-preview' { const anything: any; export = anything }
declare module '@qubit/send-uv-event' { const anything: any; export = anything }
declare module '@qubit/utils' { const anything: any; export = anything }
declare module '@qubit/utils/dom' { const anything: any; export = anything }
declare module 'cookieman' { const anything: any; export = anything }
declare module 'driftwood' { const anything: any; export = anything }
declare module 'md5' { const anything: any; export = anything }
declare module 'slapdash' { const anything: any; export = anything }
declare module 'sync-p' { const anything: any; export = anything }
declare module 'sync-p/all' { const anything: any; export = anything }
declare module 'sync-p/any' { const anything: any; export = anything }
declare module 'sync-p/defer' { const anything: any; export = anything }
declare module 'sync-p/extra' { const anything: any; export = anything }
declare module 'sync-p/race' { const anything: any; export = anything }
declare module 'sync-p/reject' { const anything: any; export = anything }
declare module 'sync-p/resolve' { const anything: any; export = anything }

/** The configured integrations, each with what it may be sent. */
interface ExperienceIntegrations {
@INTEGRATIONS@
}
