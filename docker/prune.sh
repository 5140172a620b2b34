#!/bin/sh
# Deletes from the site-packages folder $1 what rayocr never loads. tests/unit/deploy/test_docker.py names what has to stay.
set -eu
cd "$1"
# Descriptions of Google's services: rayocr reads those of Drive and Pub/Sub.
find googleapiclient/discovery_cache/documents -name '*.json' ! -name drive.v3.json ! -name pubsub.v1.json -delete
rm -rf ray/jars ray/rllib cv2/data
find . -type d -name tests -prune -exec rm -rf {} +
find . -type d -name __pycache__ -prune -exec rm -rf {} +
