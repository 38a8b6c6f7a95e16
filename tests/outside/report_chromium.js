// Opens the auditor's page in headless Chromium, as a phone and as a desk would, and says what held: "ok LAW" or "not ok LAW".
// node report_chromium.js PAGE.html PAGE.pdf; NODE_PATH names where axe-core and playwright-core are.
'use strict';
const fs = require('fs');
const { chromium } = require('playwright-core');
const [page, pdf] = process.argv.slice(2);
const says = (good, law, why) => {
    console.log(`${good ? 'ok' : 'not ok'} ${law}`);
    if (!good) console.error(why);
};

const sizes = [
    { name: 'a phone (390 px)', width: 390, height: 844, colorScheme: 'light' },
    { name: 'a desk (1280 px), in the dark', width: 1280, height: 900, colorScheme: 'dark' },
];

async function look(browser, size) {
    const context = await browser.newContext({
        viewport: { width: size.width, height: size.height },
        colorScheme: size.colorScheme,
    });
    const tab = await context.newPage();
    const said = [], asked = [];
    tab.on('console', message => said.push(`${message.type()}: ${message.text()}`));
    tab.on('pageerror', error => said.push(String(error)));
    tab.on('request', request => asked.push(request.url()));
    await tab.goto(`file://${page}`);
    await tab.evaluate(() => document.querySelectorAll('details').forEach(one => (one.open = true)));
    const wide = await tab.evaluate(() => document.documentElement.scrollWidth);
    says(wide <= size.width, `on ${size.name} it does not scroll sideways`, `${wide} px wide`);
    const shown = await tab.evaluate(() => [...document.querySelectorAll('svg')].every(one => one.getBoundingClientRect().width > 250));
    says(shown, `on ${size.name} every picture is seen`, 'a picture has no width');
    const cut = await tab.evaluate(() =>
        [...document.querySelectorAll('svg text')].filter(one => {
            const inner = one.getBoundingClientRect(), outer = one.ownerSVGElement.getBoundingClientRect();
            return inner.left < outer.left - 1 || inner.right > outer.right + 1 || inner.bottom > outer.bottom + 1;
        }).map(one => one.textContent));
    says(cut.length === 0, `on ${size.name} no word of a picture is cut off`, cut.join('; '));
    says(said.length === 0, `on ${size.name} the console says nothing`, said.join('\n'));
    says(asked.length === 1, `on ${size.name} nothing else is asked for`, asked.join('\n'));
    await context.close();
}

async function access(browser, size) {
    // axe is put in from outside, which the page's own policy rightly forbids.
    const context = await browser.newContext({
        viewport: { width: size.width, height: size.height },
        colorScheme: size.colorScheme,
        bypassCSP: true,
    });
    const tab = await context.newPage();
    await tab.goto(`file://${page}`);
    await tab.evaluate(fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
    const found = await tab.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
    const why = found.violations.map(one => `${one.id}: ${one.help}: ${one.nodes.length} times, as ${one.nodes[0].html.slice(0, 200)}`);
    says(why.length === 0, `on ${size.name} axe finds nothing that shuts people out (${found.passes.length} rules held)`, why.join('\n'));
    await context.close();
}

async function main() {
    const browser = await chromium.launch({
        executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
        timeout: 120000,
        args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update',
               '--disable-sync', '--disable-dev-shm-usage'],
    });
    for (const size of sizes) await look(browser, size);
    for (const size of sizes) await access(browser, size);
    const tab = await browser.newPage();
    await tab.goto(`file://${page}`);
    await tab.pdf({ path: pdf, preferCSSPageSize: true });
    await browser.close();
}

main().catch(error => {
    says(false, 'Chromium was led through the page', String(error));
    process.exit(1);
});
