// Opens mails with OpenPGP.js: lines `SECRET SENDER MESSAGE OUT` in, one answer a line out.
import { readFileSync, writeFileSync } from 'node:fs';

const openpgp = await import(process.argv[2]);

async function opened(secret, sender, message, out) {
  const key = await openpgp.readPrivateKey({ binaryKey: new Uint8Array(readFileSync(secret)) });
  const team = await openpgp.readKey({ armoredKey: readFileSync(sender, 'utf8') });
  const { data, signatures } = await openpgp.decrypt({
    message: await openpgp.readMessage({ armoredMessage: readFileSync(message, 'utf8') }),
    decryptionKeys: key,
    verificationKeys: team,
    format: 'binary',
  });
  writeFileSync(out, data);
  if (signatures.length !== 1) return 'unsigned';
  return signatures[0].verified.then(() => 'signed', () => 'unsigned');
}

for (const line of readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
  try {
    console.log(await opened(...line.split(' ')));
  } catch (error) {
    console.log('closed ' + String(error.message).split('\n')[0]);
  }
}
