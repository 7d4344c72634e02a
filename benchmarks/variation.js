// Remind a visitor of a basket: soon, the next day, and in a week.
module.exports = async function variation (options) {
  const slack = options.integration('slack-update', { cancelOnConversion: true })
  const { log, meta, state } = options
  const basket = { id: meta.visitorId, lines: [], total: 0 }

  const prices = { shoe: 79.9, lace: 2.5, sock: 6 }
  for (const [name, price] of Object.entries(prices)) {
    basket.lines.push({ name, price, quantity: name.length % 3 + 1 })
  }
  basket.total = basket.lines.reduce((sum, line) => sum + line.price * line.quantity, 0)
  state.set('basket', basket)

  const reminders = [
    { name: 'soon', delay: '1 hour' },
    { name: 'tomorrow', delay: '1 day' },
    { name: 'week', delay: 7 * 24 * 60 * 60 * 1000 }
  ]
  const window = { day: 'monday-friday', time: '09:00-17:00' }

  const scheduled = await Promise.all(reminders.map(reminder => slack.schedule(
    { message: `${reminder.name}: ${basket.total.toFixed(2)} EUR wait for ${basket.id}` },
    { key: { basket: basket.id, reminder: reminder.name }, delay: reminder.delay, window }
  ).catch(error => {
    log.error(`could not schedule ${reminder.name}`, error)
    return null
  })))

  log.info('scheduled', { count: scheduled.filter(Boolean).length, hour: new Date(2026, 2, 9, 9).getHours() })
}
