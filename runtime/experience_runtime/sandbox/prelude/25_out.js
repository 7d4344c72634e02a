// What leaves a run: JSON texts, which the host takes at the end of each turn, and how much of each kind may leave.
// The JSON of what an author hands over leaves on a line of its own, which the text names by its number: quoted
// within another JSON text it would be read and written twice on each side.
// Whatever an author catches, a run that went past one of these has its limit noted, and takes no further task.
(function (kit) {
  'use strict'
  let outbox = ''
  let lines = ''
  let lineCount = 0
  let most = null // what the boot message allows
  let logLeft = 1024 * 1024
  let eventsLeft = 0
  let redirectsLeft = 0
  let eventLengthLeft = 0 // events and redirects together
  let callsLeft = 0
  let callLengthLeft = 0
  let turnCallLengthLeft = 0

  kit.setLimits = function (limits) {
    most = limits
    logLeft = limits.logLength
    eventsLeft = limits.events
    redirectsLeft = limits.redirects
    eventLengthLeft = limits.eventLength
    callsLeft = limits.calls
    callLengthLeft = limits.callLength
    turnCallLengthLeft = limits.turnCallLength
    kit.mostPending = limits.pendingCalls
  }

  kit.endBy = function (limit, text) {
    kit.limit = kit.limit || limit
    throw new kit.Error(text)
  }

  function out (text) { outbox += (outbox === '' ? '' : ',') + text }

  kit.outLog = function (text) {
    logLeft -= text.length // all of it: a flood of empty lines costs the host as much
    if (logLeft < 0) kit.endBy('limit_log', 'this run has written all the log it may')
    out(text)
  }

  kit.outEvent = function (text) {
    eventsLeft -= 1
    eventLengthLeft -= text.length
    if (eventsLeft < 0 || eventLengthLeft < 0) kit.endBy('limit_events', 'this run has emitted all the events it may')
    out(text)
  }

  kit.outRedirect = function (text) {
    redirectsLeft -= 1
    eventLengthLeft -= text.length
    if (redirectsLeft < 0 || eventLengthLeft < 0) kit.endBy('limit_events', 'this run has asked for all the redirects it may')
    out(text)
  }

  // -> its number; JSON has no line ends of its own
  kit.outLine = function (json) {
    lines += '\n' + json
    lineCount += 1
    return lineCount
  }

  // `length`: of the lines that it names
  kit.outCall = function (text, length) {
    callsLeft -= 1
    callLengthLeft -= text.length + length
    turnCallLengthLeft -= text.length + length
    if (callsLeft < 0 || callLengthLeft < 0) kit.endBy('limit_calls_run', 'this run has made all the calls it may')
    if (turnCallLengthLeft < 0) kit.endBy('limit_calls_turn', 'the calls of one turn carry too much; await some of them first')
    out(text)
  }

  // -> all that is to leave now; the next turn begins
  kit.takeOut = function () {
    const taken = kit.record({ outbox: outbox, lines: lines })
    outbox = lines = ''
    lineCount = 0
    if (most !== null) turnCallLengthLeft = most.turnCallLength
    return taken
  }
})
