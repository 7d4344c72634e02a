// Experience Runtime's snippet: window.experience. Its settings are the data attributes of its script tag.
(function () {
  'use strict'
  const early = window.experience || []
  if (early.emit || !document.currentScript) return
  const script = document.currentScript
  const set = script.dataset
  const base = script.src.replace(/\/visitor\.js.*$/, '')
  const address = base + '/visitors' + (set.key ? '/k/' + set.key : '') + '/events'
  const NAME = 'experience_visitor'
  const QUEUE = 'experience_queue'
  const ZONE = 'experience_zone'
  const PASSING = [0, 408, 409, 425, 429]
  const memory = {}
  // false once localStorage is forbidden or full: then this page's memory has to do
  let local = true
  let id = null
  let sending = false
  let wait = 1000
  const objects = navigator.doNotTrack === '1' || navigator.globalPrivacyControl
  let allowed = set.consent !== 'required' && !(objects && set.dnt !== 'ignore')

  function keep (name, value) {
    memory[name] = value
    try {
      if (value === null) localStorage.removeItem(name)
      else localStorage.setItem(name, value)
    } catch (e) { local = false }
  }

  function kept (name) {
    try { if (local) return localStorage.getItem(name) } catch (e) { local = false }
    return memory[name]
  }

  function cookie (value, seconds) {
    document.cookie = NAME + '=' + value + '; Max-Age=' + seconds + '; Path=/; SameSite=Lax' +
      (set.domain ? '; Domain=' + set.domain : '') + (location.protocol === 'https:' ? '; Secure' : '')
  }

  function random () {
    return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => (b + 256).toString(16).slice(1)).join('')
  }

  function queue () {
    try { return JSON.parse(kept(QUEUE)).filter((each) => each.key) } catch (e) { return [] }
  }

  function zone () {
    return { timezone: Intl.DateTimeFormat().resolvedOptions().timeZone, timezone_offset: new Date().getTimezoneOffset() }
  }

  function add (event) {
    const all = queue().concat(Object.assign({ key: random(), visitor: id }, zone(), event)).slice(-50)
    while (JSON.stringify(all).length > 5e5) all.shift()
    keep(QUEUE, JSON.stringify(all))
    flush()
  }

  function send (url, body, headers) {
    const text = JSON.stringify(body)
    headers['Content-Type'] = 'application/json'
    return fetch(url, { method: 'POST', credentials: 'omit', headers: headers, body: text, keepalive: text.length < 2e4 })
  }

  async function flush () {
    if (sending) return
    sending = true
    for (let next; allowed && (next = queue()[0]);) {
      const event = Object.assign({}, next, { key: undefined })
      let status = 0
      // the same key each time: what arrived and was not answered does not count twice
      try { status = (await send(address, event, { 'Idempotency-Key': next.key })).status } catch (e) {}
      if (PASSING.includes(status) || status > 499) {
        setTimeout(flush, wait = Math.min(2 * wait, 3e5))
        break
      }
      wait = 1000
      if (status > 399) console.warn('experience: ' + next.type + ' was refused with ' + status)
      keep(QUEUE, JSON.stringify(queue().filter((each) => each.key !== next.key)))
    }
    sending = false
  }

  function begin () {
    const found = /(?:^|; )experience_visitor=([\w-]{16,64})/.exec(document.cookie + '; ' + NAME + '=' + kept(NAME))
    id = found ? found[1] : random()
    cookie(id, 31536000)
    if (!document.cookie.includes(id)) keep(NAME, id)
    const here = zone()
    const told = id + (here.timezone || here.timezone_offset)
    if (kept(ZONE) !== told) {
      keep(ZONE, told)
      add({})
    }
    flush()
  }

  const experience = window.experience = {
    get visitor () { return id },
    emit: function (type, data) {
      if (allowed) add({ type: String(type), data: data })
      return allowed
    },
    run: async function (name, data) {
      if (!allowed) throw new Error('experience: no consent')
      const body = { visitor: id, timezone: zone().timezone, data: data }
      const answer = await send(base + '/v1/experiences/' + name + '/run', body, set.key ? { Authorization: 'Bearer ' + set.key } : {})
      return answer.json()
    },
    consent: function (yes) {
      allowed = !!yes
      if (yes) return begin()
      id = null
      cookie('', 0)
      for (const name of [NAME, QUEUE, ZONE]) keep(name, null)
    },
    push: function (call) { return experience[call[0]].apply(experience, call.slice(1)) }
  }
  addEventListener('online', flush)
  if (allowed) begin()
  if (Array.isArray(early)) early.forEach(experience.push)
})()
