const format = require('./utils').format

// Tells the sales channel about a big basket, now, and logs what Slack said.
module.exports = async function variation (options) {
  const slack = options.integration('slack-update')
  const subtotal = options.state.get('subtotal')

  try {
    const answer = await slack.execute(
      { message: `A visitor has a basket of ${format(subtotal)}` },
      { key: { alert: 'high-value-basket' } } // at most once a minute for this visitor
    )
    options.log.info('Sales is told', answer)
  } catch (err) {
    // An alert is worth nothing an hour later, so it is not tried again.
    options.log.warn(`Sales is not told: ${err.code}`)
  }
}
