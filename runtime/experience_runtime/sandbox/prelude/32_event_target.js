// Events and aborting, as browsers have them beside the language: Event, CustomEvent, EventTarget, AbortController.
(function (kit) {
  'use strict'
  const RealDOMException = DOMException
  const kept = new WeakMap()
  const get = kit.method(WeakMap.prototype.get)
  const set = kit.method(WeakMap.prototype.set)
  const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function'
  const own = (self, kind) => {
    const found = isObject(self) ? get(kept, self) : undefined
    if (found === undefined || found[kind] === undefined) throw new kit.TypeError('Illegal invocation')
    return found
  }

  class Event {
    constructor (type, options) {
      if (arguments.length === 0) throw new kit.TypeError('an Event needs a type')
      const given = isObject(options) ? options : {}
      set(kept, this, kit.record({ event: true, type: kit.String(type), cancelable: !!given.cancelable, bubbles: !!given.bubbles, prevented: false, stopped: false, target: null }))
    }

    get type () { return own(this, 'event').type }
    get target () { return own(this, 'event').target }
    get currentTarget () { return own(this, 'event').target }
    get bubbles () { return own(this, 'event').bubbles }
    get cancelable () { return own(this, 'event').cancelable }
    get defaultPrevented () { return own(this, 'event').prevented }
    preventDefault () {
      const event = own(this, 'event')
      if (event.cancelable) event.prevented = true
    }

    stopPropagation () {}
    stopImmediatePropagation () { own(this, 'event').stopped = true }
  }

  class CustomEvent extends Event {
    constructor (type, options) {
      super(type, options)
      own(this, 'event').detail = isObject(options) && options.detail !== undefined ? options.detail : null
    }

    get detail () { return own(this, 'event').detail }
  }

  class EventTarget {
    constructor () { listening(this) }

    addEventListener (type, listener, options) {
      const all = own(this, 'listeners').listeners
      if (listener === null || listener === undefined) return
      const name = kit.String(type)
      const given = isObject(options) ? options : { capture: !!options }
      const signal = given.signal
      if (signal !== undefined && own(signal, 'signal').aborted) return
      let isThere = false
      all.each((each) => { if (each.type === name && each.listener === listener && each.capture === !!given.capture) isThere = true })
      if (isThere) return
      const entry = { __proto__: null, type: name, listener: listener, capture: !!given.capture, once: !!given.once, gone: false }
      all.put(entry)
      if (signal !== undefined) own(signal, 'signal').then.put(() => drop(all, entry))
    }

    removeEventListener (type, listener, options) {
      const all = own(this, 'listeners').listeners
      const capture = isObject(options) ? !!options.capture : !!options
      const name = kit.String(type)
      all.each((each) => { if (each.type === name && each.listener === listener && each.capture === capture) drop(all, each) })
    }

    dispatchEvent (event) {
      const all = own(this, 'listeners').listeners
      return dispatch(this, all, event)
    }
  }

  function listening (self) {
    set(kept, self, kit.record({ listeners: kit.queue() }))
  }

  function drop (all, entry) {
    entry.gone = true
    all.drop(entry)
  }

  function dispatch (self, all, event) {
    const state = own(event, 'event')
    state.target = self
    const now = kit.queue() // who listens when it is sent, and not who begins to meanwhile
    all.each((each) => { if (each.type === state.type) now.put(each) })
    now.each((each) => {
      if (each.gone || state.stopped) return
      if (each.once) drop(all, each)
      try {
        if (typeof each.listener === 'function') kit.apply(each.listener, self, [event])
        else kit.apply(each.listener.handleEvent, each.listener, [event])
      } catch (thrown) {
        kit.failed('event', thrown, 'a listener of ' + state.type + ' threw: ')
      }
    })
    return !state.prevented
  }

  let isMaking = false
  class AbortSignal extends EventTarget {
    constructor () {
      if (!isMaking) throw new kit.TypeError('Illegal constructor')
      super()
      const state = own(this, 'listeners')
      state.signal = true
      state.aborted = false
      state.reason = undefined
      state.then = kit.queue()
      state.onabort = null
    }

    get aborted () { return own(this, 'signal').aborted }
    get reason () { return own(this, 'signal').reason }
    get onabort () { return own(this, 'signal').onabort }
    set onabort (listener) { own(this, 'signal').onabort = typeof listener === 'function' ? listener : null }
    throwIfAborted () {
      const state = own(this, 'signal')
      if (state.aborted) throw state.reason
    }

    static abort (reason) {
      const signal = make()
      abort(signal, reason)
      return signal
    }

    static timeout (milliseconds) {
      const signal = make()
      kit.startTimer(() => abort(signal, new RealDOMException('The operation was aborted due to timeout', 'TimeoutError')), kit.Number(milliseconds))
      return signal
    }
  }

  function make () {
    isMaking = true
    try {
      return new AbortSignal()
    } finally {
      isMaking = false
    }
  }

  function abort (signal, reason) {
    const state = own(signal, 'signal')
    if (state.aborted) return
    state.aborted = true
    state.reason = reason === undefined ? new RealDOMException('This operation was aborted', 'AbortError') : reason
    state.then.each((act) => act())
    const event = new Event('abort')
    if (state.onabort !== null) {
      own(event, 'event').target = signal
      try {
        kit.apply(state.onabort, signal, [event])
      } catch (thrown) {
        kit.failed('event', thrown, 'onabort threw: ')
      }
    }
    dispatch(signal, state.listeners, event)
  }

  class AbortController {
    constructor () { set(kept, this, kit.record({ controller: make() })) }
    get signal () { return own(this, 'controller').controller }
    abort (reason) { abort(own(this, 'controller').controller, reason) }
  }

  kit.hidden(kit.global, 'Event', Event)
  kit.hidden(kit.global, 'CustomEvent', CustomEvent)
  kit.hidden(kit.global, 'EventTarget', EventTarget)
  kit.hidden(kit.global, 'AbortSignal', AbortSignal)
  kit.hidden(kit.global, 'AbortController', AbortController)
})
