#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""every_type.py --port P --token FILE --graph DIR --box MAILDIR --number ID:
sends every type of message that the Send API has through the gateway, each
written in a way of its own, and looks for it at Graph's stand-in and in the
mails. Prints a line for each: its name, a tab, and what is wrong, if anything.

What arrives must be what was sent, byte for byte, but for the member
biz_opaque_callback_data that the gateway puts in front where there is none.
The mail has the request in its attached event, and some words that a reader
should see in its text.
"""
import argparse
import base64
import http.client
import json
import os
import re
import sys
import time

sys.path.insert(1, os.path.join(os.path.dirname(__file__), "../lib"))
import mails as lib

OURS = re.compile(rb'"biz_opaque_callback_data":"cj:[0-9a-f]{32}",')
HEAD = '{"messaging_product":"whatsapp","to":"5511999990000",'
LINK = "https://files.bank.example/"


def plain(kind, content, head=HEAD):
    return '%s"type":"%s","%s":%s}' % (head, kind, kind, content)


def interactive(kind, action, more='"body":{"text":"Body of it"},'):
    return plain("interactive", '{"type":"%s",%s"action":%s}' %
                 (kind, more, action))


# name -> the body, what its mail's text has
MESSAGES = {
    "text": (plain("text", '{ "preview_url" : false,\n\t"body":'
                   '"Ol\\u00e1, \\"Ana\\" \\/ \u00e9 \U0001f600 1 < 2"}'),
             "Ol\u00e1, \"Ana\" / \u00e9 \U0001f600 1 < 2"),
    "text with a callback of its own": (
        plain("text", '{"body":"callback kept"}', HEAD +
              '"biz_opaque_callback_data" : "ours \\u0031",'),
        "callback kept"),
    "text without a type": (HEAD + '"text":{"body":"untyped words"}}',
                            "untyped words"),
    "text to a formatted number": (
        '{"messaging_product":"whatsapp","to":"+55 11 99999-0000","type":'
        '"text","text":{"body":"formatted number"}}', "formatted number"),
    "text to a user id": (
        '{"messaging_product":"whatsapp","recipient":"BR.5QeXaMpLe0001",'
        '"type":"text","text":{"body":"by user id"}}', "by user id"),
    "text to a group": (
        '{"messaging_product":"whatsapp","recipient_type":"group","to":'
        '"Y2FwaV9ncm91cDoxMjM0","type":"text","text":{"body":"to all"}}',
        "to all"),
    "reply": (plain("text", '{"body":"an answer"}', HEAD +
                    '"context":{"message_id":"wamid.BEFORE"},'), "an answer"),
    "image": (plain("image", '{"link":"%sa.jpg","caption":"a chart"}' % LINK),
              "a chart"),
    "video": (plain("video", '{"link":"%sa.mp4","caption":"a film"}' % LINK),
              "a film"),
    "audio": (plain("audio", '{"link":"%sa.ogg"}' % LINK), LINK + "a.ogg"),
    "document": (plain("document", '{"link":"%sa.pdf","caption":"to sign",'
                       '"filename":"contract.pdf"}' % LINK), "contract.pdf"),
    "sticker": (plain("sticker", '{"link":"%sa.webp"}' % LINK),
                LINK + "a.webp"),
    "location": (plain("location", '{"latitude":-23.5505,"longitude":'
                       '-46.633300,"name":"Branch","address":"Paulista 1"}'),
                 "Paulista 1"),
    "contacts": (plain("contacts", '[{"name":{"formatted_name":"Rui Alves",'
                       '"first_name":"Rui"},"phones":[{"phone":'
                       '"+551130000000","type":"WORK"}]}]'), "Rui Alves"),
    "reaction": (plain("reaction", '{"message_id":"wamid.BEFORE","emoji":'
                       '"\\ud83d\\udc4d"}'), "\U0001f44d"),
    "removed reaction": (plain("reaction", '{"message_id":"wamid.BEFORE",'
                               '"emoji":""}'), "wamid.BEFORE"),
    "pin": ('{"messaging_product":"whatsapp","recipient_type":"group","to":'
            '"Y2FwaV9ncm91cDoxMjM0","type":"pin","pin":{"type":"pin",'
            '"message_id":"wamid.BEFORE","expiration_days":7}}',
            "wamid.BEFORE"),
    "template": (plain("template", '{"name":"payment_due","language":{"code":'
                       '"pt_BR"},"components":[{"type":"body","parameters":['
                       '{"type":"text","text":"Ana"},{"type":"text","text":'
                       '"R$ 10,00"}]}]}'), "Dear Ana, R\\$ 10,00 is due."),
    "marketing template": (
        plain("template", '{"name":"payment_due","language":{"code":"pt_BR"},'
              '"components":[{"type":"body","parameters":[{"type":"text",'
              '"text":"Bia"},{"type":"text","text":"R$ 20,00"}]}]}'),
        "Dear Bia, R\\$ 20,00 is due."),
    "interactive button": (
        interactive("button", '{"buttons":[{"type":"reply","reply":{"id":"y",'
                    '"title":"Yes, do"}},{"type":"reply","reply":{"id":"n",'
                    '"title":"No"}}]}'), "Yes, do"),
    "interactive list": (
        interactive("list", '{"button":"Choose","sections":[{"title":"S",'
                    '"rows":[{"id":"1","title":"Row one","description":'
                    '"cheap"}]}]}'), "Row one"),
    "interactive cta_url": (
        interactive("cta_url", '{"name":"cta_url","parameters":{'
                    '"display_text":"Open it","url":"%spay"}}' % LINK),
        "Open it"),
    "interactive flow": (
        interactive("flow", '{"name":"flow","parameters":{'
                    '"flow_message_version":"3","flow_id":"77","flow_cta":'
                    '"Begin","flow_token":"t"}}'), "Begin"),
    "interactive product": (
        interactive("product", '{"catalog_id":"9","product_retailer_id":'
                    '"fund-1"}'), "fund-1"),
    "interactive product_list": (
        interactive("product_list", '{"catalog_id":"9","sections":[{"title":'
                    '"Funds","product_items":[{"product_retailer_id":'
                    '"fund-2"}]}]}',
                    '"header":{"type":"text","text":"Our funds"},'
                    '"body":{"text":"Body of it"},'), "fund-2"),
    "interactive catalog_message": (
        interactive("catalog_message", '{"name":"catalog_message",'
                    '"parameters":{"thumbnail_product_retailer_id":"f3"}}'),
        "Body of it"),
    "interactive carousel": (
        interactive("carousel", '{"cards":[{"card_index":0,"type":"cta_url",'
                    '"body":{"text":"Card one"},"action":{"name":"cta_url",'
                    '"parameters":{"display_text":"Go","url":"%sc"}}}]}'
                    % LINK), "Card one"),
    "interactive location_request_message": (
        interactive("location_request_message", '{"name":"send_location"}'),
        "Body of it"),
    "interactive address_message": (
        interactive("address_message", '{"name":"address_message",'
                    '"parameters":{"country":"IN"}}'), "Body of it"),
    "interactive call_permission_request": (
        interactive("call_permission_request",
                    '{"name":"call_permission_request"}'), "Body of it"),
    "interactive voice_call": (
        interactive("voice_call", '{"name":"voice_call","parameters":{'
                    '"display_text":"Call us"}}'), "Call us"),
    "interactive order_details": (
        interactive("order_details", '{"name":"review_and_pay","parameters":{'
                    '"reference_id":"ref-1","type":"digital-goods","currency":'
                    '"BRL","total_amount":{"value":5000,"offset":100},'
                    '"order":{"status":"pending","items":[{"retailer_id":"1",'
                    '"name":"Fee","amount":{"value":5000,"offset":100},'
                    '"quantity":1}],"subtotal":{"value":5000,"offset":100}'
                    '}}}'), "Fee"),
    "interactive order_status": (
        interactive("order_status", '{"name":"review_order","parameters":{'
                    '"reference_id":"ref-1","order":{"status":"completed",'
                    '"description":"all paid"}}}'), "all paid"),
    "interactive request_contact_info": (
        interactive("request_contact_info",
                    '{"name":"request_contact_info"}'), "Body of it"),
}


class Sender:
    def __init__(self, args):
        with open(args.token, encoding="ascii") as f:
            self.token = f.read().strip()
        self.args = args
        self.http = http.client.HTTPConnection("127.0.0.1", args.port,
                                               timeout=30)

    def send(self, name, body):
        edge = "marketing_messages" if name.startswith("marketing") \
            else "messages"
        self.http.request("POST", f"/v25.0/{self.args.number}/{edge}", body,
                          {"Authorization": "Bearer " + self.token,
                           "Content-Type": "application/json; charset=utf-8"})
        r = self.http.getresponse()
        return r.status, r.read()

    def arrived(self):
        """wamid -> what the stand-in got."""
        path = os.path.join(self.args.graph, "graph.requests")
        with open(path, encoding="utf-8") as f:
            return {o["result"]: o for o in map(json.loads, f)
                    if "result" in o}


def events_of(box):
    """wamid -> the mail and the bytes of its event."""
    found = {}
    for name in sorted(os.listdir(box)):
        msg = lib.read(os.path.join(box, name))
        for item in msg.get_all("X-ChatJournal-Item", []):
            wamid = re.match(r"id=([^;\s]+)", str(item))
            for part in msg.walk():
                if wamid and (part.get_filename() or "").endswith(".json"):
                    found.setdefault(wamid[1], (msg, []))[1].append(
                        part.get_payload(decode=True))
    return found


def compare(name, body, got):
    if got is None:
        return "it is not at the stand-in"
    bare = OURS.sub(b"", got["body"].encode(), count=1)
    if bare != body:
        return "another body arrived: " + got["body"]
    if "callback of its own" in name and got["body"].encode() != body:
        return "its callback data was changed"
    if got["content_type"] != "application/json":
        return "Content-Type: " + got["content_type"]
    return ""


def look(body, words, mail):
    if mail is None:
        return "it is not in a mail"
    msg, events = mail
    if not any(b'"request":' + body in e for e in events):
        return "the event in its mail has another request"
    text = re.sub(r"\s+", " ", lib.text_of(msg))
    return "" if re.search(words, text) else \
        f"its mail's text does not have {words}: {text}"


def main():
    p = argparse.ArgumentParser()
    for name in ("token", "graph", "box", "number"):
        p.add_argument("--" + name, required=True)
    p.add_argument("--port", type=int, required=True)
    args = p.parse_args()
    sender, sent, wrong = Sender(args), {}, {}
    for name, (body, _) in MESSAGES.items():
        status, answer = sender.send(name, body.encode())
        if status == 200:
            sent[name] = json.loads(answer)["messages"][0]["id"]
        else:
            wrong[name] = f"answer {status} {answer.decode()}"
    arrived = sender.arrived()
    end = time.monotonic() + 30
    events = {}
    while time.monotonic() < end and not set(sent.values()) <= set(events):
        time.sleep(0.2)
        events = events_of(args.box) if os.path.isdir(args.box) else {}
    for name, (body, words) in MESSAGES.items():
        problem = wrong.get(name) or \
            compare(name, body.encode(), arrived.get(sent[name])) or \
            look(body.encode(), words, events.get(sent[name]))
        print(name, problem.replace("\n", " "), sep="\t")


if __name__ == "__main__":
    main()
